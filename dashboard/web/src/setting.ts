// What a point that may be set takes, in words, and what its reader typed as the gateway takes it. Pure.

import type { Reading, Series, WritablePoint } from './api.ts';
import * as format from './format.ts';
import { text } from './strings.ts';

/** "40 to 75 °C", "on or off", "stop, run". */
export function takes(point: WritablePoint): string {
  if (point.kind === 'boolean') return text.setting.onOrOff;
  if (point.states) return point.states.join(', ');
  return text.setting.range(format.plain(point.min!, ''), format.plain(point.max!, ''), point.unit);
}

/** A number as it was typed: a comma is a decimal one, unless it may as well stand between thousands. Null: it is none. */
export function numberOf(typed: string): number | null {
  const bare = typed.trim().replace('−', '-');
  if (/^[+-]?\d{1,3},\d{3}$/.test(bare)) return null;
  const plain = bare.replace(/^([^.,]*),([^.,]*)$/, '$1.$2');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

/** Why the point does not take what was typed or chosen; empty: it does. */
export function wrongWith(point: WritablePoint, typed: string): string {
  if (point.kind === 'boolean' || point.states) return typed === '' ? text.setting.choose : '';
  const number = numberOf(typed);
  if (number === null) return text.setting.noNumber;
  return number >= point.min! && number <= point.max! ? '' : text.setting.outside(takes(point));
}

/** As it goes to the gateway; of what is right. */
export function valueOf(point: WritablePoint, typed: string): string {
  return point.kind === 'boolean' || point.states ? typed : String(numberOf(typed));
}

/** With its unit, for the question before it is sent. */
export function newValue(point: WritablePoint, value: string): string {
  return point.unit ? `${value} ${point.unit}` : value;
}

/** What a form begins with: the present number, or for on and off the other one. */
export function suggestion(point: WritablePoint, series: Pick<Series, 'states'>, last: Reading | null): string {
  if (!last || last[1] === null || last[2] === 'bad') return '';
  const value = Number(last[1]);
  if (point.kind === 'boolean') return value ? text.off : text.on;
  if (point.states) return point.states.includes(series.states?.[value] ?? '') ? series.states![value]! : '';
  return String(Number(value.toPrecision(12)));
}
