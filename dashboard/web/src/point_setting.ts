// In the sheet of a point that may be set: what it takes, and the way to do it, or why its reader may not.

import type { Series, Time, WritablePoint } from './api.ts';
import { el, setText, show } from './dom.ts';
import * as format from './format.ts';
import type { Model } from './model.ts';
import { tell } from './reading.ts';
import { fetchPoints } from './rest.ts';
import { type Present, SetDialog } from './set_dialog.ts';
import { takes } from './setting.ts';
import { text } from './strings.ts';

/** What it asks of the page around it. */
export interface Around {
  now(): Time;
  online(): boolean;
  /** Why the reader may not set points; empty: allowed. */
  refusal(): string;
}

export class PointSetting {
  readonly node = el('div', { class: 'setting', hidden: true });
  readonly dialog = new SetDialog((point) => this.present(point));
  private readonly what = el('span');
  private readonly refusal = el('span', { class: 'refusal', id: 'set-refusal' });
  private readonly button = el('button', { type: 'button', class: 'button', 'aria-describedby': 'set-refusal', click: () => this.open() }, text.setting.set);
  private point: WritablePoint | null = null;
  private request = 0;

  constructor(private readonly model: Model, private readonly around: Around) {
    this.node.append(this.button, this.what, this.refusal);
  }

  /** The point that the sheet shows; null: none. Asked anew each time: the configuration may be another. */
  async follow(series: string | null): Promise<void> {
    const mine = (this.request += 1);
    this.point = null;
    show(this.node, false);
    if (series === null) return;
    const points = await fetchPoints().catch(() => []);
    if (mine !== this.request) return;
    this.point = points.find((point) => point.series === series) ?? null;
    show(this.node, this.point !== null);
    this.update();
  }

  /** Once a second, and when the reader may more or less. */
  update(): void {
    if (!this.point) return;
    const refusal = this.around.refusal();
    setText(this.what, [text.setting.takes(takes(this.point)), this.present(this.point).interlock].filter(Boolean).join(' · '));
    setText(this.refusal, refusal);
    this.button.classList.toggle('refused', refusal !== '');
    if (refusal) this.button.setAttribute('aria-disabled', 'true');
    else this.button.removeAttribute('aria-disabled');
    if (refusal) this.dialog.close();
    this.dialog.tick();
  }

  private open(): void {
    const series = this.point && this.model.series.get(this.point.series);
    if (this.point && series && !this.around.refusal()) this.dialog.open(this.point, series);
  }

  private present({ series, interlock }: WritablePoint): Present {
    const lock = this.model.series.get(interlock), value = this.told(this.model.series.get(series));
    const open = interlock === '' || (lock?.last?.[2] === 'good' && Number(lock.last[1]) !== 0 && tell(lock, this.around.now(), this.around.online()).state.kind === 'fresh');
    return { value, open, interlock: interlock && (open ? text.setting.interlockOpen(interlock) : text.setting.interlockShut(interlock, this.told(lock))) };
  }

  private told(series: Series | undefined): string {
    if (!series) return text.setting.unknown;
    const { shown, badge, mark } = tell(series, this.around.now(), this.around.online());
    return mark === 'fresh' ? format.joined(shown) : `${format.joined(shown)} (${badge})`;
  }
}
