// Rules: those at work, the text that is edited here, and what it was before.

import type { Role, Time, WrittenRule } from './api.ts';
import { noteInput } from './alert_form.ts';
import { el, setText, show } from './dom.ts';
import * as format from './format.ts';
import { icon } from './icons.ts';
import { fetchRules, switchRule } from './rest.ts';
import { RuleEditor } from './rule_editor.ts';
import { RuleHistory } from './rule_history.ts';
import { text } from './strings.ts';
import { viewNode, viewSection, why } from './views.ts';
import { type Wish, Wishes } from './wish.ts';

/** What a view asks of the page around it. */
export interface Surroundings {
  now(): Time;
  /** Why the reader may not do what takes a role; empty: allowed. */
  lacks(role: Role): string;
}

export class RulesView {
  readonly node: HTMLElement;
  private readonly list = el('div', { class: 'cards' });
  private readonly none = el('p', { class: 'empty' }, text.views.loading);
  private readonly editor: RuleEditor;
  private readonly history: RuleHistory;

  constructor(private readonly around: Surroundings) {
    this.editor = new RuleEditor(around, () => this.changed());
    this.history = new RuleHistory(around, () => this.editor.etag, () => {
      this.changed();
      void this.editor.load();
    });
    this.node = viewNode(viewSection('rule-list', text.rules.list, this.none, this.list),
      viewSection('rule-text', text.rules.text, this.editor.node), viewSection('rule-history', text.rules.history, this.history.node));
  }

  opened(): void {
    void this.load();
    void this.editor.open();
    void this.history.load();
  }

  private changed(): void {
    void this.load();
    void this.history.load();
  }

  private async load(): Promise<void> {
    try {
      const rules = await fetchRules();
      setText(this.none, text.rules.none);
      show(this.none, rules.length === 0);
      this.list.replaceChildren(...rules.map((rule) => this.card(rule)));
    } catch (problem) {
      setText(this.none, why(problem));
      show(this.none, true);
    }
  }

  private card(rule: WrittenRule): HTMLElement {
    const { name, kind, condition, series, severity, off, enabled, active, problems } = rule;
    const state = off ? text.rules.off : !enabled ? text.rules.disabled : active ? text.details.ruleActive(active) : text.severity[severity];
    const note = off ? text.rules.offBy(rule.off_by, rule.off_since === null ? '' : format.moment(rule.off_since, this.around.now()), rule.off_note) : '';
    return el('article', { class: `card${off || !enabled ? ' rule-off' : ''}` },
      el('div', { class: 'card-head' }, el('h3', {}, name, ' ', el('span', { class: 'kind' }, kind)),
        el('span', { class: `chip severity-${severity}${active && !off ? ' solid' : ''}` }, icon(off || !enabled ? 'pause' : severity), state)),
      note && el('p', {}, note), condition && el('p', {}, condition),
      ...problems.map((problem) => el('p', { class: 'bad' }, text.details.ruleCannotWatch(problem))),
      el('p', { class: 'muted' }, el('code', {}, series), ' · ', text.details.ruleLine(rule.instances), ' · ', text.rules.at(rule.file, rule.line)),
      enabled && new Wishes([this.turn(rule)], this.around.lacks('admin')).node);
  }

  private turn({ name, off }: WrittenRule): Wish {
    const note = noteInput('note');
    return { button: off ? text.rules.turnOn : text.rules.turnOff, label: off ? text.rules.turnOnOf(name) : text.rules.turnOffOf(name),
      sending: off ? text.rules.turningOn : text.rules.turningOff,
      fields: () => ({ nodes: [el('label', {}, text.views.note, note)], first: note }),
      ask: async () => {
        await switchRule(name, !off, note.value.trim());
        await this.load();
      } };
  }
}
