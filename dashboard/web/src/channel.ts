// The channel: four basins of water between gates. Water moves at the pace of the samples, stands as high as the
// backlog, and a gate comes down where nothing passes. The drawing decorates; the words beside it say the same.

import type { State, Time } from './api.ts';
import { type Gate, type Stage, stages } from './channel_view.ts';
import { el, setAttribute, setClass, setText, svg } from './dom.ts';
import { text } from './strings.ts';

const kHeight = 118;
const kFloor = 106;
const kRim = 22;
const kWave = 96;

export class Channel {
  readonly node: HTMLElement;
  private readonly words: { link: HTMLElement; figure: HTMLElement; unit: HTMLElement; line: HTMLElement; gate: HTMLElement }[] = [];
  private readonly art = svg('svg', { class: 'channel-art', 'aria-hidden': 'true', preserveAspectRatio: 'none' });
  private basins: SVGGElement[] = [];
  private gates: SVGGElement[] = [];
  private current: Stage[] = [];

  constructor() {
    const list = el('ol', { class: 'stages' });
    for (const key of ['sources', 'rules', 'store', 'upstream'] as const) {
      const figure = el('b'), unit = el('span', { class: 'unit' }), line = el('span', { class: 'stage-line' }), gate = el('span', { class: 'visually-hidden' });
      const link = el('a', { class: 'stage', href: `#${key}` },
        el('span', { class: 'stage-title' }, text.channel[key]), el('span', { class: 'stage-figure' }, figure, unit), line, gate);
      this.words.push({ link, figure, unit, line, gate });
      list.append(el('li', {}, link));
    }
    const frame = el('div', { class: 'channel-frame' }, this.art);
    this.node = el('section', { class: 'channel panel', 'aria-label': text.channel.title }, list, frame);
    new ResizeObserver(() => this.build(frame.clientWidth)).observe(frame);
  }

  update(state: State, now: Time): void {
    this.current = stages(state, now);
    this.current.forEach((stage, at) => {
      const { link, figure, unit, line, gate } = this.words[at]!;
      setText(figure, stage.figure);
      setText(unit, stage.unit);
      setText(line, stage.line);
      setText(gate, gateWords(stage.gate));
      setClass(link, stage.trouble ? 'stage trouble' : 'stage');
    });
    this.pour();
  }

  /** Draws basins and gates for `width` CSS pixels. */
  private build(width: number): void {
    if (width <= 0) return;
    setAttribute(this.art, 'viewBox', `0 0 ${width} ${kHeight}`);
    const step = width / 4;
    this.basins = [0, 1, 2, 3].map((at) => basin(at, step));
    this.gates = [1, 2, 3].map((at) => gate(at * step));
    this.art.replaceChildren(
      svg('rect', { class: 'channel-bed', x: 0, y: kRim, width, height: kFloor - kRim, rx: 3 }), ...this.basins,
      svg('path', { class: 'channel-wall', d: `M0 ${kRim}V${kFloor}H${width}V${kRim}` }), ...this.gates);
    this.pour();
  }

  private pour(): void {
    this.basins.forEach((node, at) => {
      const stage = this.current[at];
      if (!stage) return;
      const inflow = at === 0 ? true : passes(this.current[at - 1]!.gate);
      const water = node.querySelector<SVGGElement>('.water')!;
      water.style.setProperty('transform', `translateY(${((1 - stage.level) * (kFloor - kRim)).toFixed(1)}px)`);
      setClass(node, `basin pace-${inflow ? pace(stage.flow) : 0}${stage.trouble ? ' trouble' : ''}`);
    });
    this.gates.forEach((node, at) => {
      const stage = this.current[at];
      if (stage) setClass(node, `gate gate-${stage.gate}`);
    });
  }
}

function passes(state: Gate): boolean {
  return state === 'open' || state === 'half';
}

/** 0 still, then slow to fast: a step for each tenfold rate, because a change of pace restarts the animation. */
function pace(perSecond: number): number {
  return perSecond <= 0 ? 0 : perSecond < 10 ? 1 : perSecond < 100 ? 2 : perSecond < 1000 ? 3 : 4;
}

function gateWords(state: Gate): string {
  return state === 'none' ? '' : `, ${state === 'open' ? text.channel.gateOpen : state === 'half' ? text.channel.gateHalf : text.channel.gateClosed}`;
}

/** A surface of waves from -kWave to the right end, moved by one wave length over and over. */
function wave(width: number, height: number, lift: number): string {
  let path = `M${-kWave} ${kFloor - kRim + 40}V${lift}`;
  for (let x = -kWave; x < width + kWave; x += kWave) path += `q${kWave / 4} ${-height} ${kWave / 2} 0t${kWave / 2} 0`;
  return `${path}V${kFloor - kRim + 40}Z`;
}

function basin(at: number, step: number): SVGGElement {
  const clip = `basin-${at}`;
  const streaks = [16, 27, 38].map((y, i) => svg('line', { class: `streak streak-${i}`, x1: -kWave, x2: step + kWave, y1: y, y2: y }));
  const water = svg('g', { class: 'water' },
    svg('path', { class: 'wave wave-back', d: wave(step, 5, 0) }),
    svg('path', { class: 'wave wave-front', d: wave(step, 4, 4) }), ...streaks);
  return svg('g', {},
    svg('clipPath', { id: clip }, svg('rect', { x: 0, y: 0, width: step, height: kFloor - kRim })),
    svg('g', { transform: `translate(${at * step} ${kRim})`, 'clip-path': `url(#${clip})` }, water));
}

/** Two posts, a lifting beam and a plate that rides between them. */
function gate(x: number): SVGGElement {
  const plateHeight = kFloor - kRim;
  return svg('g', { transform: `translate(${x} 0)` },
    svg('rect', { class: 'gate-post', x: -8, y: 6, width: 3, height: kFloor - 6 }),
    svg('rect', { class: 'gate-post', x: 5, y: 6, width: 3, height: kFloor - 6 }),
    svg('g', { class: 'gate-plate' },
      svg('rect', { x: -5, y: kRim, width: 10, height: plateHeight }),
      ...[0.2, 0.4, 0.6, 0.8].map((share) => svg('line', { x1: -5, x2: 5, y1: kRim + share * plateHeight, y2: kRim + share * plateHeight }))),
    svg('rect', { class: 'gate-beam', x: -10, y: 3, width: 20, height: 5, rx: 1 }));
}
