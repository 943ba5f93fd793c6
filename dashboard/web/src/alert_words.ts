// What an alert is to its reader: whether somebody is called for it, what is owed, and how it is said. Pure.

import type { Alert, AlertEvent, Flood, Severity, Time } from './api.ts';
import * as format from './format.ts';
import { text } from './strings.ts';

const kSeverityRank: Record<Severity, number> = { critical: 0, high: 1, warning: 2, info: 3 };

export const isRaised = ({ phase }: Alert) => phase === 'active' || phase === 'clearing' || phase === 'returned';
export const isShelved = ({ shelved_until, out_of_service }: Alert) => shelved_until !== null || out_of_service;
/** Nothing of it is left to show. */
export const isOver = (alert: Alert) => alert.phase === 'normal' && !isShelved(alert);
/** `acknowledged` says that nothing is left to acknowledge: it is false from the first raise on, in any phase. */
export const owesAcknowledge = ({ phase, acknowledged }: Alert) => phase !== 'normal' && !acknowledged;
/** Somebody is called to acknowledge it. */
export const needsAcknowledge = (alert: Alert) => owesAcknowledge(alert) && !alert.silenced;
/** One that is about to be raised again may still owe the acknowledgement of the last time. */
const isOpen = (alert: Alert) => isRaised(alert) || owesAcknowledge(alert);
export const isListed = (alert: Alert) => isOpen(alert) && !alert.silenced;
export const isPending = (alert: Alert) => !isOpen(alert) && !alert.silenced;
/** One on trial that is only about to be raised is no news to anybody. */
export const isSilent = (alert: Alert) => alert.silenced && (isOpen(alert) || isShelved(alert));

/** What needs a person first: not acknowledged, then the worst, then the newest. */
export function byUrgency(a: Alert, b: Alert): number {
  return Number(a.acknowledged) - Number(b.acknowledged) || kSeverityRank[a.severity] - kSeverityRank[b.severity] ||
    (b.raised ?? b.since) - (a.raised ?? a.since) || (a.id < b.id ? -1 : 1);
}

/** While a flood is on, the alert with which it began stays in front: it is often the cause of the others. */
export function inFlood(flood: Flood | null): (a: Alert, b: Alert) => number {
  return (a, b) => Number(b.id === flood?.first) - Number(a.id === flood?.first) || byUrgency(a, b);
}

export function floodNow({ since, first, count }: Flood, all: ReadonlyMap<string, Alert>, now: Time): string {
  return text.flood.now(count, format.span(Math.max(now - since, 0)), all.get(first)?.message || first);
}

export function valueAgainstLimit({ value, limit, unit }: Alert): string {
  if (value === null) return '';
  const shown = format.plain(value, unit);
  return limit === null ? shown : text.alerts.valueLimit(shown, format.plain(limit, unit));
}

/** Every reason why nobody is called. */
export function whySilenced(alert: Alert, all: ReadonlyMap<string, Alert>, now: Time): string[] {
  const by = alert.suppressed_by;
  return [shelf(alert, now), by && text.alerts.explained(all.get(by)?.message || by), alert.shadow && text.alerts.onTrial]
    .filter((reason): reason is string => Boolean(reason));
}

function shelf({ out_of_service, shelved_until, shelved_by, shelved_why }: Alert, now: Time): string {
  if (out_of_service) return text.alerts.outOfServiceBy(shelved_by, shelved_why);
  return shelved_until === null ? '' : text.alerts.shelved(shelved_by, format.moment(shelved_until, now), shelved_why);
}

export function chatterOf({ chatter, chatter_band, unit }: Alert): string {
  return chatter ? text.alerts.chatters(chatter, chatter_band ? format.plain(chatter_band, unit) : '') : '';
}

/** Why it was raised, or went: what was looked at, name by name. */
export function evidenceOf({ evidence: { version, from, to, series, facts } }: Alert): [string, string][] {
  const seen = new Set(facts.map(({ name }) => name));
  return [
    ...facts.map(({ name, value, unit, state }): [string, string] => [name, state || (value === null ? text.alerts.infinite : format.plain(value, unit))]),
    ...series.filter((name) => !seen.has(name)).map((name): [string, string] => [name, text.alerts.read]),
    ...(from !== null && to !== null && to > from ? [[text.alerts.lookedAt, format.span(to - from)] as [string, string]] : []),
    ...(version ? [[text.alerts.ruleVersion, version] as [string, string]] : []),
  ];
}

/** Whether an event is news of something that somebody should look at. */
export const isAlarm = ({ cause, alert }: AlertEvent) => !alert.silenced && isRaised(alert) && ['raised', 'escalated', 'unshelved', 'unsuppressed'].includes(cause);

/** What the page says aloud of an event; empty where nobody is called for it. */
export function aloud(event: AlertEvent): string {
  const { cause, alert } = event, message = alert.message || alert.id;
  if (alert.silenced) return '';
  if (isAlarm(event)) return text.alerts.announceRaised(text.severity[alert.severity], message);
  if (cause === 'acknowledged') return text.alerts.announceAck(message);
  return ['cleared', 'returned', 'rule removed'].includes(cause) ? text.alerts.announceGone(message) : '';
}

/** An event in the log: what happened, and in whose words. */
export function told({ cause, alert, time }: AlertEvent): { what: string; note: string } {
  const word = text.cause[cause] ?? cause;
  switch (cause) {
    case 'acknowledged': return { what: text.log.by(word, alert.acknowledged_by), note: alert.note };
    case 'escalated':
    case 'eased': return { what: text.log.to(word, text.severity[alert.severity]), note: '' };
    case 'shelved': return { what: alert.shelved_until === null ? text.log.by(text.alerts.outOfService, alert.shelved_by)
      : text.log.until(text.log.by(word, alert.shelved_by), format.moment(alert.shelved_until, time)), note: alert.shelved_why };
    case 'unshelved': return { what: text.log.by(word, alert.shelved_by), note: alert.shelved_why };
    case 'commented': return { what: text.log.by(word, alert.commented_by), note: alert.comment };
    case 'suppressed': return { what: text.alerts.explained(alert.suppressed_by), note: '' };
    default: return { what: word, note: '' };
  }
}
