// Numbers, times and units as people read them. Pure; times are microseconds, spans too.

import type { Reading, Series, Time } from './api.ts';
import { text } from './strings.ts';

export const kSecond = 1_000_000;
export const kMinute = 60 * kSecond;
export const kHour = 60 * kMinute;
export const kDay = 24 * kHour;

const kLocale = typeof navigator === 'undefined' ? 'en-GB' : navigator.language;
const kPlain = new Intl.NumberFormat(kLocale, { maximumFractionDigits: 2 });
const kPlainSmall = new Intl.NumberFormat(kLocale, { maximumSignificantDigits: 3 });
const kPlainBrief = new Intl.NumberFormat(kLocale, { maximumFractionDigits: 1 });
const formats = new Map<number, Intl.NumberFormat>();

export function fixed(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(kLocale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  return format.format(value === 0 ? 0 : value);
}

/** About three to four figures, steady in width while a value moves: 1,234 · 93.2 · 4.56 · 0.012 */
export function number(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (size >= 1e15 || (size < 0.001 && size > 0)) return value.toExponential(2);
  if (size >= 1000) return fixed(value, 0);
  if (size >= 10) return fixed(value, 1);
  if (size >= 1) return fixed(value, 2);
  return fixed(value, size === 0 ? 0 : 3);
}

export function count(value: number): string {
  return fixed(Math.round(value), 0);
}

const kBinary = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function scaledBytes(value: number): [number, string] {
  let step = 0;
  while (Math.abs(value) >= 1024 && step < kBinary.length - 1) {
    value /= 1024;
    step += 1;
  }
  return [value, kBinary[step] ?? 'B'];
}

export function bytes(value: number): string {
  const [scaled, unit] = scaledBytes(value);
  return `${unit === 'B' ? count(scaled) : number(scaled)} ${unit}`;
}

export function rate(perSecond: number): string {
  return perSecond >= 100 ? count(perSecond) : number(Math.round(perSecond * 10) / 10);
}

/** A span in its two largest units: 3 s · 2 min · 1 h 5 min · 3 d 4 h */
export function span(micros: number): string {
  const seconds = Math.max(0, Math.floor(micros / kSecond));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return twoUnits(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'min');
  return twoUnits(Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3600), 'h');
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** What is over soon: 0 ms · 2.8 ms · 340 ms · 4.3 s */
export function brief(ms: number): string {
  if (ms >= 1000) return `${kPlainBrief.format(ms / 1000)} s`;
  return `${ms >= 10 ? count(ms) : kPlainBrief.format(ms)} ms`;
}

export function age(micros: number): string {
  return micros < kSecond ? text.now : text.ago(span(micros));
}

const clockFormat = new Intl.DateTimeFormat(kLocale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayFormat = new Intl.DateTimeFormat(kLocale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** Time of day; with the date when it is not from the last 12 hours before `now`. */
export function moment(time: Time, now: Time): string {
  const format = Math.abs(now - time) < 12 * kHour ? clockFormat : dayFormat;
  return format.format(time / 1000);
}

export interface Shown {
  value: string;
  unit: string;
}

/** A limit or a finding: as the configuration would write it, 90 rather than 90.0 */
export function plain(raw: number, unit: string): string {
  const shown = quantity(raw, unit);
  return joined(shown.unit === unit ? { value: (Math.abs(raw) < 1 ? kPlainSmall : kPlain).format(raw), unit } : shown);
}

/** A value with its unit, scaled where the unit is one that people scale. */
export function value(series: Pick<Series, 'kind' | 'unit' | 'states'>, raw: Reading[1]): Shown {
  if (raw === null) return { value: text.noValue, unit: '' };
  if (series.kind === 'boolean') return { value: Number(raw) !== 0 ? text.on : text.off, unit: '' };
  if (series.kind === 'state') return { value: series.states?.[Number(raw)] ?? text.unknownState(Number(raw)), unit: '' };
  return quantity(Number(raw), series.unit, series.kind === 'counter');
}

export function quantity(raw: number, unit: string, whole = false): Shown {
  if (unit === 'B' || unit === 'B/s') {
    const [scaled, scaledUnit] = scaledBytes(raw);
    return { value: scaledUnit === 'B' ? count(scaled) : number(scaled), unit: unit === 'B' ? scaledUnit : `${scaledUnit}/s` };
  }
  if (unit === 's' && raw >= 600) return { value: span(raw * kSecond), unit: '' };
  if ((whole || unit === '') && Number.isInteger(raw)) return { value: count(raw), unit };
  return { value: number(raw), unit };
}

export function joined({ value: shown, unit }: Shown): string {
  return unit ? `${shown} ${unit}` : shown;
}

/** "boiler1/temperature" -> device "boiler1", metric "temperature"; a name without a slash is its own metric. */
export function splitName(name: string): { device: string; metric: string } {
  const cut = name.lastIndexOf('/');
  return cut < 0 ? { device: '', metric: name } : { device: name.slice(0, cut), metric: name.slice(cut + 1) };
}

/** What the gateway says, as its reader expects a sentence to look; a series' name at its beginning stays as it is. */
export function sentence(words: string): string {
  return (/^[^ ]*\//.test(words) ? words : words.charAt(0).toUpperCase() + words.slice(1)) + (/[.!?…]$/.test(words) ? '' : '.');
}
