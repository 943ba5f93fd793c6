// uPlot, wrapped: one line with its min/max band, a limit line, colours of the theme, and a cursor for the keyboard.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import type { Series } from './api.ts';
import { type Columns, alone } from './chart_data.ts';
import * as format from './format.ts';

export interface PlotEvents {
  /** The cursor stands on point `at`, or on none. */
  cursor(at: number | null): void;
  /** The user dragged over a span (seconds). */
  selected(from: number, to: number): void;
}

const kAxisFont = '12px system-ui, sans-serif';

export class Plot {
  private readonly chart: uPlot;
  private limits: number[] = [];
  private readonly observer: ResizeObserver;

  /** @param series as it is known now: a state series may learn new words while its chart is open */
  constructor(private readonly frame: HTMLElement, private readonly series: () => Series, events: PlotEvents) {
    const { kind } = series(), stepped = kind === 'state' || kind === 'boolean';
    const line: uPlot.Series = { stroke: () => colour(frame, '--water-line'), width: 1.75, points: dots(frame), spanGaps: false };
    if (stepped) line.paths = uPlot.paths.stepped!({ align: 1 });
    const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false }, spanGaps: false };
    this.chart = new uPlot({
      width: Math.max(120, frame.clientWidth), height: Math.max(120, frame.clientHeight),
      legend: { show: false }, padding: [12, 20, 0, 0],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 8 } },
      scales: { x: { time: true }, y: { range: (_u, low, high) => this.yRange(low, high, stepped) } },
      axes: [
        { stroke: () => colour(frame, '--muted'), font: kAxisFont, grid: { stroke: () => colour(frame, '--grid'), width: 1 }, ticks: { show: false }, size: 30, values: (_u, ticks, _axis, _space, step) => ticks.map((at) => tickTime(at, step)) },
        { stroke: () => colour(frame, '--muted'), font: kAxisFont, grid: { stroke: () => colour(frame, '--grid'), width: 1 }, ticks: { show: false },
          size: (_u, values) => 18 + 7 * Math.max(3, ...(values ?? []).map((one) => (one ?? '').length)),
          ...(stepped && { splits: () => this.codes() }), values: (_u, ticks) => axisValues(series(), ticks) },
      ],
      series: [{}, line, edge, edge],
      bands: stepped ? [] : [{ series: [3, 2], fill: () => colour(frame, '--water-band') }],
      hooks: {
        draw: [() => this.drawLimits()],
        setCursor: [(u) => events.cursor(u.cursor.idx ?? null)],
        setSelect: [(u) => this.pick(u, events)],
      },
    }, [[], [], [], []], frame);
    this.observer = new ResizeObserver(() => this.chart.setSize({ width: Math.max(120, frame.clientWidth), height: Math.max(120, frame.clientHeight) }));
    this.observer.observe(frame);
  }

  /** @param from,to the span shown, in seconds */
  show({ x, middle, low, high }: Columns, from: number, to: number, limits: number[]): void {
    this.limits = limits;
    this.chart.batch(() => {
      this.chart.setData([x, middle, low, high], false);
      this.chart.setScale('x', { min: from, max: to });
    });
  }

  moveCursor(to: number): void {
    const x = this.chart.data[0][to];
    if (x !== undefined) this.chart.setCursor({ left: this.chart.valToPos(x, 'x'), top: 10 });
  }

  /** Colours are read while drawing: a change of theme needs a new drawing. */
  recolour(): void {
    this.chart.redraw(false, true);
  }

  close(): void {
    this.observer.disconnect();
    this.chart.destroy();
  }

  private codes(): number[] {
    const { kind, states } = this.series(), count = kind === 'boolean' ? 2 : states?.length ?? 2;
    return Array.from({ length: count }, (_unused, code) => code);
  }

  private yRange(low: number | null, high: number | null, stepped: boolean): [number, number] {
    if (stepped) return [-0.25, this.codes().length - 0.75];
    if (low === null || high === null) return [0, 1];
    const all = [low, high, ...this.limits.filter((limit) => nearby(limit, low, high))];
    const bottom = Math.min(...all), top = Math.max(...all);
    const margin = (top - bottom || Math.abs(top) * 0.1 || 1) * 0.12;
    return [bottom - margin, top + margin];
  }

  private drawLimits(): void {
    const { ctx, bbox } = this.chart;
    ctx.save();
    ctx.strokeStyle = colour(this.frame, '--limit');
    ctx.lineWidth = devicePixelRatio * 1.5;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const limit of this.limits) {
      const y = this.chart.valToPos(limit, 'y', true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  private pick(u: uPlot, events: PlotEvents): void {
    if (u.select.width < 8) return;
    const from = u.posToVal(u.select.left, 'x'), to = u.posToVal(u.select.left + u.select.width, 'x');
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    events.selected(from, to);
  }
}

/** A line has no end to draw to where a value stands alone. */
function dots(frame: HTMLElement): uPlot.Series.Points {
  return { show: false, size: 6, stroke: () => colour(frame, '--water-line'), fill: () => colour(frame, '--water-line'), filter: (u, at) => alone(u.data[at]!) };
}

/** A limit far away must not press the curve flat. */
function nearby(limit: number, low: number, high: number): boolean {
  const reach = Math.max(high - low, Math.abs(high) * 0.15);
  return limit > low - reach && limit < high + reach;
}

function colour(frame: HTMLElement, property: string): string {
  return getComputedStyle(frame).getPropertyValue(property).trim();
}

function tickTime(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  if (step >= 86_400) return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  return date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(step < 60 && { second: '2-digit' }) });
}

function axisValues(series: Series, ticks: number[]): string[] {
  if (series.kind === 'state' || series.kind === 'boolean') return ticks.map((code) => format.value(series, code).value);
  const step = ticks.length > 1 ? Math.abs(ticks[1]! - ticks[0]!) : 1;
  if (series.unit === 'B' || series.unit === 'B/s') return ticks.map((tick) => format.joined(format.quantity(tick, series.unit)));
  const decimals = Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
  return ticks.map((tick) => format.fixed(tick, decimals));
}
