// Small whole things to build test cases from.
import type { Alert, Series, State, Uplink } from '../../../dashboard/web/src/api.ts';

export const kSecond = 1_000_000;
export const kNow = 1_800_000_000 * kSecond;

export function series(change: Partial<Series> = {}): Series {
  return { name: 'boiler1/temperature', kind: 'number', unit: '°C', source: 'plant', labels: {}, stale_after: 3 * kSecond,
    last: [kNow - kSecond, 71.5, 'good', ''], ...change };
}

export function alert(change: Partial<Alert> = {}): Alert {
  return { id: 'hot:boiler1', rule: 'hot', series: 'boiler1/temperature', phase: 'active', acknowledged: false, acknowledged_by: '', note: '',
    severity: 'critical', since: kNow, raised: kNow, value: 93.2, limit: 90, unit: '°C', message: 'boiler1 is hot', labels: {}, runbook: '', silenced: false, shelved_until: null, out_of_service: false, shelved_by: '', shelved_why: '',
    suppressed_by: '', shadow: false, chatter: 0, chatter_band: 0, commented_by: '', comment: '',
    evidence: { version: '', from: null, to: null, series: [], facts: [] }, ...change };
}

export function uplink(change: Partial<Uplink> = {}): Uplink {
  return { name: 'cloud', type: 'mqtt', health: 'up', text: '', backlog_batches: 0, backlog_oldest: null, rate: 10, drain_seconds: null,
    last_ack: kNow, lost_batches: 0, ...change };
}

export function state(change: Partial<State> = {}): State {
  const source = { type: 'mqtt', health: 'up' as const, text: '', since: kNow, series: 3, rate: 5, rejected: 0, turns: null };
  return {
    gateway: { name: 'plant-7', site: 'Hall 3', version: '0.1.0', started: kNow - 3600 * kSecond, time: kNow, epoch: 'e1', demo: false, insecure: false, certificate: null },
    sources: [{ ...source, name: 'plant' }, { ...source, name: 'field' }],
    rules: [{ name: 'hot', kind: 'threshold', condition: 'above 90 °C', severity: 'critical', series: '{device}/temperature', instances: 2, active: 0, unfit: 0, problems: [] }],
    flood: null,
    store: { health: 'up', text: '', takes_samples: true, takes_alerts: true, alerts_waiting: 0, notices: [], rate: 10, commit_p50_ms: 2, commit_p99_ms: 6, queue_depth: 0, queue_capacity: 65_536, dropped: 0, used_bytes: 10,
      max_bytes: 100, wear: null, oldest: null, last_seq: 1 },
    uplinks: [uplink()],
    ...change,
  };
}
