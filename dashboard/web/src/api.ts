// The shapes of docs/api.md. Times are microseconds since 1970 UTC.

export type Time = number;
export type Quality = 'good' | 'uncertain' | 'bad';
export type Reason = '' | 'retained' | 'not_a_number' | 'no_answer' | 'device_fault' | 'wrong_type' | 'clock';
export type Severity = 'info' | 'warning' | 'high' | 'critical';
export type Phase = 'normal' | 'pending' | 'active' | 'clearing' | 'returned';
export type Health = 'starting' | 'up' | 'degraded' | 'down' | 'stopped';
export type Labels = Record<string, string>;

/** [time, value or null when bad, quality, reason] */
export type Reading = [Time, number | boolean | null, Quality, Reason];

export interface Series {
  name: string;
  kind: 'number' | 'counter' | 'boolean' | 'state';
  unit: string;
  source: string;
  labels: Labels;
  states?: string[];
  stale_after: number;
  last: Reading | null;
}

/** A point of a device that may be set: a number between `min` and `max`, one of `states`, or on and off. */
export interface WritablePoint {
  series: string;
  source: string;
  kind: Series['kind'];
  unit: string;
  /** A yes/no series that has to be true; empty: none. */
  interlock: string;
  min?: number;
  max?: number;
  states?: string[];
}

export interface Alert {
  id: string;
  rule: string;
  series: string;
  phase: Phase;
  acknowledged: boolean;
  acknowledged_by: string;
  note: string;
  severity: Severity;
  since: Time;
  raised: Time | null;
  value: number | null;
  limit: number | null;
  unit: string;
  message: string;
  labels: Labels;
  runbook: string;
  /** Nobody is called: shelved, explained by another alert, or of a rule on trial. */
  silenced: boolean;
  shelved_until: Time | null;
  /** Shelved until somebody ends it. */
  out_of_service: boolean;
  shelved_by: string;
  shelved_why: string;
  suppressed_by: string;
  shadow: boolean;
  /** How often it was raised since it began to chatter; 0: it does not. */
  chatter: number;
  chatter_band: number;
  /** The last word on it since it was raised; empty: none. */
  commented_by: string;
  comment: string;
  evidence: Evidence;
}

/** A number that was looked at; of a state series with the state's name. */
export interface Fact {
  name: string;
  value: number | null;
  unit: string;
  state: string;
}

/** What the last transition was decided by, beside value and limit. */
export interface Evidence {
  /** The rule's. */
  version: string;
  from: Time | null;
  to: Time | null;
  /** Read beside the one that the alert watches; perhaps patterns. */
  series: string[];
  facts: Fact[];
}

export interface AlertEvent {
  seq: number;
  time: Time;
  cause: string;
  from: Phase;
  alert: Alert;
  /** What its rule published because of it. */
  publish: { to: string; topic: string; payload: string; retain: boolean }[];
  /** What its rule wants set because of it. */
  write: { point: string; value: string }[];
}

/** The samples that were kept around a raise of an alert. */
export interface Snapshot {
  id: number;
  alert: string;
  raised: Time;
  from: Time;
  until: Time;
  series: number;
  samples: number;
  left_out: number;
}

/** More alerts than anybody can look at. */
export interface Flood {
  since: Time;
  /** The id of the alert with which it began. */
  first: string;
  /** Raised from it on. */
  count: number;
}

export interface FloodEvent extends Flood {
  seq: number;
  time: Time;
  /** It began; else it is over. */
  on: boolean;
}

export interface Source {
  name: string;
  type: string;
  health: Health;
  text: string;
  since: Time;
  series: number;
  rate: number;
  rejected: number;
  /** How it keeps its turns: the worst of the last minute or two, and all that it missed. Null of one that takes none. */
  turns: { lateness_ms: number; time_ms: number; missed: number } | null;
}

export interface Rule {
  name: string;
  kind: string;
  condition: string;
  severity: Severity;
  series: string;
  instances: number;
  active: number;
  /** Series that it matches and cannot watch. */
  unfit: number;
  /** Why, of the first of them. */
  problems: string[];
}

export interface Store {
  health: Health;
  text: string;
  takes_samples: boolean;
  takes_alerts: boolean;
  /** Changes of alerts that are not on disk, and so among no alerts here. */
  alerts_waiting: number;
  /** Damage that was met, and what it cost. */
  notices: string[];
  rate: number;
  commit_p50_ms: number;
  commit_p99_ms: number;
  queue_depth: number;
  queue_capacity: number;
  dropped: number;
  used_bytes: number;
  max_bytes: number;
  wear: { bytes_a_sample: number; bytes_a_day: number; life_years: number } | null;
  oldest: Time | null;
  last_seq: number;
}

export interface Uplink {
  name: string;
  type: string;
  health: Health;
  text: string;
  backlog_batches: number;
  backlog_oldest: Time | null;
  rate: number;
  drain_seconds: number | null;
  last_ack: Time | null;
  lost_batches: number;
}

export interface Gateway {
  name: string;
  site: string;
  version: string;
  started: Time;
  time: Time;
  epoch: string | number;
  demo: boolean;
  /** Plain HTTP at an address that others reach. */
  insecure: boolean;
  /** By which it speaks TLS; `trouble`: why the files that are there now are not in use. */
  certificate: { fingerprint: string; until: Time; own: boolean; trouble: string } | null;
}

export interface State {
  gateway: Gateway;
  sources: Source[];
  rules: Rule[];
  flood: Flood | null;
  store: Store;
  uplinks: Uplink[];
}

export interface Hello {
  epoch: string | number;
  time: Time;
  version: string;
  name: string;
  site: string;
  ping_seconds: number;
  max_streams: number;
  demo: boolean;
}

export interface SourceEvent {
  seq: number;
  changes: { time: Time; source: string; health: Health; text: string }[];
}

export type GapCause = 'retention' | 'damaged' | 'limit' | 'epoch' | 'id';

export interface GapNotice {
  first: number | null;
  last: number | null;
  why: GapCause;
}

export interface DeadLetter {
  id: number;
  time: Time;
  times: number;
  source: string;
  topic: string;
  payload: string;
  reason: string;
}

/** [time, min, max, avg, last, count, bad] */
export type Envelope = [Time, number | null, number | null, number | null, number | null, number, number];

export interface History {
  from: Time;
  to: Time;
  series: { name: string; points: Envelope[] }[];
}

/** Each may do what the one before it may: see; acknowledge and shelve; change what the gateway does. */
export type Role = 'viewer' | 'operator' | 'admin';

export interface User {
  name: string;
  role: Role;
  /** False: there is none yet, and only a link lets this user in. */
  password: boolean;
}

export interface Session {
  /** There is a user. */
  claimed: boolean;
  /** The gateway's. */
  name: string;
  site: string;
  user: User | null;
  /** For whoever is logged in: what each POST carries as X-CSRF-Token. */
  csrf?: string;
  /** Asked over TLS. */
  secure: boolean;
  /** Why nobody can log in; empty: somebody can. */
  trouble: string;
}

/** A rule with where it stands. */
export interface WrittenRule extends Rule {
  off: boolean;
  off_by: string;
  off_since: Time | null;
  off_note: string;
  version: string;
  enabled: boolean;
  file: string;
  line: number;
  /** In the text that is edited here. */
  editable: boolean;
}

export interface RulesText {
  text: string;
  etag: string;
}

/** Line 0: the file as a whole. */
export interface FileProblem {
  file: string;
  line: number;
  column: number;
  text: string;
}

export interface RuleCheck {
  problems: FileProblem[];
  added: string[];
  removed: string[];
  changed: string[];
  alerts_ended: string[];
}

export interface RulesVersion {
  version: number;
  time: Time;
  who: string;
  why: string;
  note: string;
}

export interface DiffLine {
  kind: 'both' | 'removed' | 'added';
  from: number | null;
  to: number | null;
  text: string;
}

export interface Person extends User {
  since: Time | null;
}

export interface Token {
  id: number;
  name: string;
  role: Role;
  /** The part of the role that it is held to; empty: all of it. */
  scope: string;
  made: Time;
  made_by: string;
  until: Time | null;
}

/** A line of the audit; not `sealed`: it does not follow from the one before it. */
export interface Deed {
  id: number;
  time: Time;
  who: string;
  what: string;
  about: string;
  detail: string;
  sealed: boolean;
}

/** What the stream says, by event name. */
export interface StreamEvents {
  hello: Hello;
  snapshot: { time: Time; series: Series[]; alerts: Alert[] | null; state: State };
  delta: { time: Time; values: Record<string, Reading> };
  series: { series: Series[] };
  alert: { seq: number; alerts: AlertEvent[] };
  alerts: { alerts: Alert[] };
  flood: { seq: number; floods: FloodEvent[] };
  state: State;
  source: SourceEvent;
  ping: { time: Time };
  gap: GapNotice;
  busy: { max_streams: number };
  /** `logged-out`: the session has ended; the others are the gateway's own reasons. */
  bye: { why: string };
}
export type StreamEvent = { [K in keyof StreamEvents]: { type: K; data: StreamEvents[K] } }[keyof StreamEvents];
