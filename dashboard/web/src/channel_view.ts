// What the channel shows, decided without drawing: for each stage its figure, its line of words, how high the water
// stands and how far its gate is open.

import type { Source, State, Store, Time, Uplink } from './api.ts';
import * as format from './format.ts';
import { text } from './strings.ts';

export type Gate = 'open' | 'half' | 'closed' | 'none';
export interface Stage {
  key: 'sources' | 'rules' | 'store' | 'upstream';
  title: string;
  figure: string;
  unit: string;
  line: string;
  /** Height of the water, 0 to 1. */
  level: number;
  /** The gate through which water leaves this stage (for upstream: reaches it). */
  gate: Gate;
  /** Samples a second that move here: sets the pace of the water. */
  flow: number;
  trouble: boolean;
}

/** Water of a channel that runs freely; a backlog stands above it. */
const kCalm = 0.34;
const kRim = 0.96;


export function stages(state: State, now: Time): Stage[] {
  const [uplink, ...others] = [...state.uplinks].sort((a, b) => behind(b, now) - behind(a, now));
  const store = storeStage(state.store);
  const upstream = uplink ? upstreamStage([uplink, ...others], state.store, now) : noUpstream();
  store.gate = upstream.gate;
  store.level = uplink ? Math.max(kCalm, backlogLevel(uplink, now)) : kCalm;
  return [sourcesStage(state.sources), rulesStage(state), store, upstream];
}

/** How far an uplink is behind: the age of the oldest batch that it has not delivered. */
export function behind(uplink: Uplink, now: Time): number {
  return uplink.backlog_batches > 0 && uplink.backlog_oldest !== null ? Math.max(0, now - uplink.backlog_oldest) : 0;
}

export const isUp = (source: Source) => source.health === 'up' || source.health === 'degraded';

/** Logarithmic in time, since a backlog may be of a second or of a week: five minutes stand half way up, a day to the rim. */
export function backlogLevel(uplink: Uplink, now: Time): number {
  const seconds = behind(uplink, now) / format.kSecond;
  return Math.min(kRim, kCalm + ((kRim - kCalm) * Math.log10(1 + seconds / 5)) / Math.log10(1 + 86_400 / 5));
}

function sourcesStage(sources: Source[]): Stage {
  const working = sources.filter(({ health }) => health !== 'stopped');
  const up = working.filter(isUp).length;
  const flow = sources.reduce((sum, { rate }) => sum + rate, 0);
  const gate: Gate = working.length === 0 ? 'none' : up === 0 ? 'closed' : up < working.length ? 'half' : 'open';
  return { key: 'sources', title: text.channel.sources, figure: format.rate(flow), unit: text.channel.perSecond,
    line: text.channel.sourcesUp(up, working.length), level: up ? kCalm + 0.1 : 0.1, gate, flow, trouble: up < working.length };
}

function rulesStage({ rules, store, sources }: State): Stage {
  const instances = rules.reduce((sum, rule) => sum + rule.instances, 0);
  const active = rules.reduce((sum, rule) => sum + rule.active, 0);
  const fill = store.queue_capacity ? store.queue_depth / store.queue_capacity : 0;
  const flow = sources.reduce((sum, { rate }) => sum + rate, 0);
  const line = fill > 0.1 ? text.channel.intakeFilling(percent(fill)) : rules.length ? text.channel.rulesActive(active, instances) : text.channel.noRules;
  return { key: 'rules', title: text.channel.rules, figure: String(rules.length), unit: text.channel.rulesUnit(rules.length), line,
    level: kCalm + 0.05 + fill * (kRim - kCalm - 0.05), gate: store.takes_samples ? 'open' : store.takes_alerts ? 'half' : 'closed', flow, trouble: fill > 0.5 };
}

function storeStage(store: Store): Stage {
  const share = store.max_bytes ? store.used_bytes / store.max_bytes : 0;
  const line = !store.takes_samples ? (store.takes_alerts ? text.channel.alertsOnly : text.channel.nothingStored(store.alerts_waiting))
    : store.health === 'down' ? text.channel.storeDown : text.channel.storeUsed(percent(share));
  return { key: 'store', title: text.channel.store, figure: format.rate(store.rate), unit: text.channel.perSecond,
    line, level: kCalm, gate: 'open', flow: store.rate, trouble: store.health !== 'up' };
}

function upstreamStage(uplinks: [Uplink, ...Uplink[]], store: Store, now: Time): Stage {
  const flow = uplinks.reduce((sum, { rate }) => sum + rate, 0);
  const stuck = uplinks.filter(({ health }) => health === 'down' || health === 'stopped').length;
  const gate: Gate = stuck === uplinks.length ? 'closed' : stuck ? 'half' : 'open';
  const late = behind(uplinks[0], now);
  const span = format.span(late);
  const current = store.takes_samples ? text.channel.upToDate : store.takes_alerts ? text.channel.alertsOnly : text.channel.upstreamStarved;
  const line = stuck ? text.channel.waiting(span) : late < 2 * format.kSecond ? current : text.channel.behind(span);
  return { key: 'upstream', title: text.channel.upstream, figure: format.rate(flow), unit: text.channel.perSecond, line,
    level: gate === 'closed' ? 0.07 : kCalm - 0.08, gate, flow, trouble: stuck > 0 || uplinks.some(({ health }) => health === 'degraded') };
}

function noUpstream(): Stage {
  return { key: 'upstream', title: text.channel.upstream, figure: text.noValue, unit: '', line: text.channel.upstreamNone,
    level: 0, gate: 'none', flow: 0, trouble: false };
}

export function percent(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`;
}
