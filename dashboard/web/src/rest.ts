// The REST side of docs/api.md. A failure is an Error whose message is a sentence for the reader.
import type { Alert, AlertEvent, DeadLetter, FloodEvent, History, Snapshot, Time } from './api.ts';
import { text } from './strings.ts';

export function address(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

async function request<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address(path), { cache: 'no-store', ...init });
  } catch {
    throw new Error(text.rest.noAnswer);
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const problem = body as { title?: string; detail?: string } | null;
  throw new Error(problem?.detail || problem?.title || text.rest.status(response.status));
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

/** How long an alert is shelved where only a person can say when that ends. */
export const kOutOfService = 'out of service';

/** Fields that are empty are left out. */
async function ask(path: string, wish: Record<string, string | boolean>): Promise<Alert> {
  const body = JSON.stringify(Object.fromEntries(Object.entries(wish).filter(([, value]) => value)));
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
  return (await request<{ alert: Alert }>(`alerts/${path}`, init)).alert;
}

export const acknowledge = (id: string, who: string, note: string) => ask('ack', { id, who, note });
export const shelve = (id: string, span: string, why: string, who: string) =>
  ask('shelve', { id, why, who, ...(span === kOutOfService ? { out_of_service: true } : { for: span }) });
export const unshelve = (id: string, who: string) => ask('unshelve', { id, who });
