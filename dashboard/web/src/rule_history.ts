// What the text of the rules was before: who changed it, what that was against the present, and the way back.

import type { DiffLine, RulesVersion } from './api.ts';
import { noteInput } from './alert_form.ts';
import { el, show } from './dom.ts';
import * as format from './format.ts';
import { RecordList } from './record_list.ts';
import { fetchRulesDiff, fetchRuleVersions, rollBackRules } from './rest.ts';
import type { Surroundings } from './rules_view.ts';
import { text } from './strings.ts';
import { why } from './views.ts';
import { Wishes } from './wish.ts';

const kVersions = 20;
/** So many lines around a difference are shown. */
const kAround = 3;

export class RuleHistory {
  readonly node: HTMLElement;
  private readonly versions = new RecordList<RulesVersion>(text.rules.historyNone, (before) => fetchRuleVersions(kVersions, before), (version, isNow) => this.line(version, isNow));

  /** @param etag of the text that a version takes the place of; @param changed called when one has */
  constructor(private readonly around: Surroundings, private readonly etag: () => string, private readonly changed: () => void) {
    this.node = this.versions.node;
  }

  load(): Promise<void> {
    return this.versions.load();
  }

  private line({ version, time, who, why: reason, note }: RulesVersion, isNow: boolean): HTMLElement {
    const shown = el('div', { class: 'diff', hidden: true });
    const words = noteInput('note');
    const compare = el('button', { type: 'button', class: 'button', 'aria-expanded': 'false', 'aria-label': text.rules.diffOf(version), click: () => void this.compare(version, compare, shown) }, text.rules.diff);
    const back = new Wishes([{ button: text.rules.rollBack, label: text.rules.rollBackOf(version), sending: text.rules.rollingBack,
      fields: () => ({ nodes: [el('label', {}, text.views.note, words)], first: words }),
      ask: async () => {
        await rollBackRules(version, this.etag(), words.value.trim());
        this.changed();
      } }], this.around.lacks('admin'));
    return el('li', { class: 'record' },
      el('p', {}, el('b', {}, text.rules.version(version)), ' ', el('span', { class: 'muted' }, [format.moment(time, this.around.now()), who, reason].filter(Boolean).join(' · ')), note && ` “${note}”`),
      isNow ? el('span', { class: 'chip' }, text.rules.isNow) : el('div', { class: 'record-actions' }, compare, back.node), shown);
  }

  private async compare(version: number, button: HTMLElement, into: HTMLElement): Promise<void> {
    const open = into.hidden;
    if (open) into.replaceChildren(...(await this.difference(version)));
    show(into, open);
    button.setAttribute('aria-expanded', String(open));
  }

  private async difference(version: number): Promise<HTMLElement[]> {
    try {
      const lines = near(await fetchRulesDiff(version));
      return lines.length ? [el('pre', { tabindex: 0 }, ...lines.map(diffLine))] : [el('p', { class: 'muted' }, text.rules.diffNone)];
    } catch (problem) {
      return [el('p', { class: 'form-error' }, why(problem))];
    }
  }
}

const kMarks = { both: ' ', removed: '−', added: '+' } as const;

function diffLine(line: DiffLine | null): HTMLElement {
  if (line === null) return el('span', { class: 'diff-gap' }, '…\n');
  return el('span', { class: `diff-${line.kind}` }, `${kMarks[line.kind]} ${line.text}\n`);
}

/** The lines that differ with a few around them; null stands for those that are left out. None where nothing differs. */
export function near(lines: DiffLine[]): (DiffLine | null)[] {
  const wanted = lines.map((_, at) => lines.slice(Math.max(0, at - kAround), at + kAround + 1).some(({ kind }) => kind !== 'both'));
  const shown: (DiffLine | null)[] = [];
  lines.forEach((line, at) => {
    if (wanted[at]) shown.push(line);
    else if (shown.length && shown.at(-1) !== null) shown.push(null);
  });
  if (shown.at(-1) === null) shown.pop();
  return shown;
}
