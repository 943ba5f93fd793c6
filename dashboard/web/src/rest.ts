// The REST side of docs/api.md. A failure is an Error whose message is a sentence for the reader.
import type { Alert, AlertEvent, DeadLetter, Deed, DiffLine, FileProblem, FloodEvent, History, Person, Role, RuleCheck, RulesText, RulesVersion, Session, Snapshot, Time, Token, WritablePoint, WrittenRule } from './api.ts';
import { sentence } from './format.ts';
import { text } from './strings.ts';

const kSessionPatienceMs = 10_000;

/** What a wish takes along from the session, and whom a request tells that it was turned away: the log-in is over, or may less. */
export const pass = { csrf: '', turnedAway: (): void => undefined };

/** The gateway answered, and not with what was asked for. */
export class Refusal extends Error {
  /** @param problems what is wrong with a text of rules, place by place */
  constructor(message: string, readonly status: number, readonly problems: FileProblem[] = []) {
    super(message);
  }
}

export function address(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

async function answer<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address(path), { cache: 'no-store', ...init });
  } catch {
    throw new Error(text.rest.noAnswer);
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const problem = body as { title?: string; detail?: string; problems?: FileProblem[] } | null;
  throw new Refusal(sentence(problem?.detail || problem?.title || text.rest.status(response.status)), response.status, problem?.problems);
}

async function request<T>(path: string, init?: RequestInit): Promise<T> {
  try {
    return await answer<T>(path, init);
  } catch (problem) {
    if (problem instanceof Refusal && (problem.status === 401 || problem.status === 403)) pass.turnedAway();
    throw problem;
  }
}

/** Fields that are empty are left out, but for `text`. */
function post(wish: Record<string, string | number | boolean | undefined>, headers: Record<string, string> = {}): RequestInit {
  const token = pass.csrf ? { 'X-CSRF-Token': pass.csrf } : undefined;
  return { method: 'POST', headers: { 'Content-Type': 'application/json', ...token, ...headers },
    body: JSON.stringify(Object.fromEntries(Object.entries(wish).filter(([name, value]) => value || (name === 'text' && value !== undefined)))) };
}

export function fetchSession(): Promise<Session> {
  return answer('session', { signal: AbortSignal.timeout(kSessionPatienceMs) });
}

/** A 401 to who logs in is about what was typed; to who is logged in it may also mean that the session is over. */
export function postSession(path: 'claim' | 'log-in' | 'log-out' | 'password', wish: Record<string, string | undefined>): Promise<Session> {
  const init = { ...post(wish), signal: AbortSignal.timeout(2 * kSessionPatienceMs) };
  return path === 'claim' || path === 'log-in' ? answer(path, init) : request(path, init);
}

export function fetchHistory(series: string[], from: Time, to: Time, points: number): Promise<History> {
  const query = new URLSearchParams(series.map((name) => ['series', name]));
  query.set('from', String(Math.round(from)));
  query.set('to', String(Math.round(to)));
  query.set('points', String(points));
  return request(`history?${query}`);
}

export function fetchAlertLog(limit: number): Promise<{ log: AlertEvent[]; floods: FloodEvent[] }> {
  return request(`alerts/log?limit=${limit}`);
}

export async function fetchDeadLetters(limit: number): Promise<DeadLetter[]> {
  return (await request<{ dead_letters: DeadLetter[] }>(`dead-letters?limit=${limit}`)).dead_letters;
}

export async function fetchSnapshots(alert: string, limit: number): Promise<Snapshot[]> {
  return (await request<{ snapshots: Snapshot[] }>(`snapshots?${new URLSearchParams({ alert, limit: String(limit) })}`)).snapshots;
}

export async function fetchPoints(): Promise<WritablePoint[]> {
  return (await request<{ points: WritablePoint[] }>('points')).points;
}

/** What came of it, in words; as long as the device may take to show it. */
export const setPoint = (series: string, value: string, why: string) => request<{ text: string }>('points/write', post({ series, value, why }));

/** How long an alert is shelved where only a person can say when that ends. */
export const kOutOfService = 'out of service';

async function ask(path: string, wish: Record<string, string | boolean>): Promise<Alert> {
  return (await request<{ alert: Alert }>(`alerts/${path}`, post(wish))).alert;
}

export const acknowledge = (id: string, note: string) => ask('ack', { id, note });
export const shelve = (id: string, span: string, why: string) => ask('shelve', { id, why, ...(span === kOutOfService ? { out_of_service: true } : { for: span }) });
export const unshelve = (id: string) => ask('unshelve', { id });
export const comment = (id: string, words: string) => ask('comment', { id, text: words });

export async function fetchRules(): Promise<WrittenRule[]> {
  return (await request<{ rules: WrittenRule[] }>('rules')).rules;
}

/** @param version an older one; left out: the text that is there */
export const fetchRulesText = (version?: number) => request<RulesText>(version === undefined ? 'rules/text' : `rules/text?version=${version}`);
export const checkRules = (rules: string) => request<RuleCheck>('rules/validate', post({ text: rules }));

/** What came of a change of the rules: in words, and the etag of their text then. */
type Saved = { text: string; etag: string };
const replacing = (etag: string) => ({ 'If-Match': etag === '*' ? etag : `"${etag}"` });
export const saveRules = (rules: string, etag: string, note: string) => request<Saved>('rules/text', post({ text: rules, note }, replacing(etag)));
export const rollBackRules = (version: number, etag: string, note: string) => request<Saved>('rules/rollback', post({ version, note }, replacing(etag)));
export const switchRule = (name: string, off: boolean, note: string) => request<Saved>(off ? 'rules/disable' : 'rules/enable', post({ name, note }));

/** A page of a list, newest first; `next` is what `before` of the following one takes. */
export interface Listed<T> {
  items: T[];
  next: string | null;
}

async function listed<T>(path: string, name: string, limit: number, before: string | null): Promise<Listed<T>> {
  const page = await request<Record<string, unknown>>(`${path}?${new URLSearchParams({ limit: String(limit), ...(before !== null && { before }) })}`);
  return { items: page[name] as T[], next: page['next'] as string | null };
}

export const fetchRuleVersions = (limit: number, before: string | null) => listed<RulesVersion>('rules/history', 'versions', limit, before);
export const fetchAudit = (limit: number, before: string | null) => listed<Deed>('audit', 'audit', limit, before);

/** @param to left out: the text that is there */
export async function fetchRulesDiff(from: number, to?: number): Promise<DiffLine[]> {
  return (await request<{ lines: DiffLine[] }>(`rules/diff?from=${from}${to === undefined ? '' : `&to=${to}`}`)).lines;
}

const users = async (path: string, init?: RequestInit): Promise<Person[]> => (await request<{ users: Person[] }>(path, init)).users;
export const fetchUsers = () => users('users');
export const addUser = (name: string, role: Role, password: string) => users('users', post({ name, role, password }));
export const removeUser = (name: string) => users('users/remove', post({ name }));
export const setRole = (name: string, role: Role) => users('users/role', post({ name, role }));
export const setUserPassword = (name: string, password: string) => users('users/password', post({ name, password }));

export const fetchTokens = () => request<{ tokens: Token[] }>('tokens');
/** @param may a role or a scope; @param lasts empty: until it is removed */
export const makeToken = (name: string, may: { role: Role } | { scope: string }, lasts: string) => request<{ tokens: Token[]; token: string }>('tokens', post({ name, ...may, lasts }));
export const removeToken = (id: number) => request<{ tokens: Token[] }>('tokens/remove', post({ id }));
