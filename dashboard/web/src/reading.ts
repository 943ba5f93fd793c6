// What a tile and the chart's header say of a series' newest reading right now: one judgement, one wording.

import type { Series, Time } from './api.ts';
import * as format from './format.ts';
import { type Freshness, freshness } from './freshness.ts';
import { text } from './strings.ts';

export interface Told {
  state: Freshness;
  /** The value, or in its place why there is none. */
  shown: format.Shown;
  /** How old it is, and what is wrong with it. */
  badge: string;
  mark: Freshness['kind'];
  live: boolean;
}

/** @param online false while the link is down: then nothing is live, however young */
export function tell(series: Series, now: Time, online: boolean): Told {
  const state = freshness(series, now);
  const span = 'age' in state ? format.span(state.age) : '';
  const lastKnown = !online && state.kind === 'fresh';
  return {
    state,
    shown: state.kind === 'bad' ? { value: text.reason[state.reason] ?? state.reason, unit: '' } : format.value(series, series.last?.[1] ?? null),
    badge: lastKnown ? text.points.offlineBadge(span) : text.points.badge(state, span),
    mark: lastKnown ? 'stale' : state.kind,
    live: online && (state.kind === 'fresh' || state.kind === 'uncertain'),
  };
}
