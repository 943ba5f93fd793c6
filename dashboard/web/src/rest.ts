// The REST side of docs/api.md. A failure is an Error whose message is a sentence for the reader.
import type { Alert, AlertEvent, DeadLetter, History, Time } from './api.ts';
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

export async function fetchAlertLog(limit: number): Promise<AlertEvent[]> {
  return (await request<{ log: AlertEvent[] }>(`alerts/log?limit=${limit}`)).log;
}

export async function fetchDeadLetters(limit: number): Promise<DeadLetter[]> {
  return (await request<{ dead_letters: DeadLetter[] }>(`dead-letters?limit=${limit}`)).dead_letters;
}

export async function acknowledge(id: string, who: string, note: string): Promise<Alert> {
  const body = JSON.stringify({ id, ...(note && { note }), ...(who && { who }) });
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
  return (await request<{ alert: Alert }>('alerts/ack', init)).alert;
}
