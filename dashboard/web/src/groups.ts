// Which points stand together: by area where a label names one, otherwise by device; what the gateway says of itself
// comes last. Pure.

import type { Series, Source } from './api.ts';
import { splitName } from './format.ts';

export interface Group {
  key: string;
  title: string;
  /** True when the group holds several devices, so that each tile has to name its own. */
  mixed: boolean;
  series: Series[];
}

const kOwnTypes = new Set(['host', 'self']);

export function group(all: Iterable<Series>, sources: Source[]): Group[] {
  const own = new Set(sources.filter(({ type }) => kOwnTypes.has(type)).map(({ name }) => name));
  const groups = new Map<string, Group & { own: boolean }>();
  for (const series of all) {
    const area = series.labels['area'];
    const device = splitName(series.name).device || series.source;
    const root = own.has(series.source) ? series.source : device;
    const title = area || root;
    const key = area ? `area ${area}` : `device ${root}`;
    let into = groups.get(key);
    if (!into) groups.set(key, (into = { key, title, mixed: false, series: [], own: own.has(series.source) }));
    into.series.push(series);
  }
  const sorted = [...groups.values()].sort((a, b) => Number(a.own) - Number(b.own) || byName(a.title, b.title));
  return sorted.map(({ key, title, series }) => ({ key, title, mixed: devices(series) > 1, series: series.sort((a, b) => byName(a.name, b.name)) }));
}

function devices(series: Series[]): number {
  return new Set(series.map(({ name }) => splitName(name).device)).size;
}

export function byName(a: string, b: string): number {
  return a.localeCompare(b, undefined, { numeric: true });
}
