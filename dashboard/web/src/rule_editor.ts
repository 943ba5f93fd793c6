// The text of the rules: written, checked as the gateway will, and saved in the place of the text that it was made from.

import type { FileProblem, RuleCheck } from './api.ts';
import { noteInput } from './alert_form.ts';
import { el, setText, show } from './dom.ts';
import { Complaint, once } from './form.ts';
import { checkRules, fetchRulesText, Refusal, saveRules } from './rest.ts';
import type { Surroundings } from './rules_view.ts';
import { text } from './strings.ts';
import { why } from './views.ts';

const kChangedMeanwhile = 412;

export class RuleEditor {
  readonly node: HTMLElement;
  /** Of the text that this one was made from. */
  etag = '*';
  private loaded: string | null = null;
  private readonly input = el('textarea', { id: 'rules-text', class: 'rules-text', spellcheck: 'false', autocapitalize: 'none', autocomplete: 'off', wrap: 'off', rows: 18,
    'aria-describedby': 'rules-what', 'aria-labelledby': 'rule-text-title', input: () => this.typed(), keydown: (event: KeyboardEvent) => this.key(event) });
  private readonly note = noteInput('rules-note');
  private readonly checker = el('button', { type: 'button', class: 'button', click: () => void this.check() }, text.rules.check);
  private readonly saver = el('button', { type: 'button', class: 'button primary', click: () => void this.save() }, text.rules.save);
  private readonly refusal = el('span', { class: 'refusal' });
  private readonly state = el('span', { class: 'muted', role: 'status' });
  private readonly complaint = new Complaint();
  private readonly problems = el('ul', { class: 'problems' });
  private readonly outcome = el('div', { class: 'outcome', role: 'status' });
  private readonly conflict = el('div', { class: 'actions', hidden: true },
    el('button', { type: 'button', class: 'button', click: () => void this.load() }, text.rules.takeTheirs),
    el('button', { type: 'button', class: 'button', click: () => void this.keepMine() }, text.rules.keepMine));

  /** @param saved called when the rules have changed */
  constructor(private readonly around: Surroundings, private readonly saved: () => void) {
    this.node = el('div', { class: 'panel editor' }, el('p', { class: 'hint', id: 'rules-what' }, text.rules.textWhat), this.input,
      el('div', { class: 'field' }, el('label', {}, text.rules.saveNote, this.note)),
      el('div', { class: 'actions' }, this.saver, this.checker, this.refusal, this.state),
      this.complaint.node, this.conflict, this.problems, this.outcome);
    window.addEventListener('beforeunload', (event) => this.isChanged && event.preventDefault());
  }

  /** What its reader has typed stays. */
  async open(): Promise<void> {
    this.showRight();
    if (!this.isChanged) await this.load();
  }

  async load(): Promise<void> {
    try {
      const { text: rules, etag } = await fetchRulesText();
      this.input.value = this.loaded = rules;
      this.input.placeholder = text.rules.example;
      this.etag = etag;
      this.tell({});
    } catch (problem) {
      this.tell({ complaint: why(problem) });
    }
    this.typed();
  }

  private get isChanged(): boolean {
    return this.loaded !== null && this.input.value !== this.loaded;
  }

  private typed(): void {
    setText(this.state, this.isChanged ? text.rules.unsaved : '');
  }

  private showRight(): void {
    const [mayNotSave, mayNotCheck] = [this.around.lacks('admin'), this.around.lacks('operator')];
    show(this.saver, !mayNotSave);
    show(this.checker, !mayNotCheck);
    setText(this.refusal, mayNotSave);
    this.input.readOnly = mayNotCheck !== '';
    this.note.closest('.field')!.toggleAttribute('hidden', mayNotSave !== '');
  }

  /** Tab indents, as in an editor; after Escape it leaves, as on a page. */
  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.checker.focus();
    if (event.key !== 'Tab' || event.shiftKey || event.ctrlKey || event.altKey || this.input.readOnly) return;
    event.preventDefault();
    this.input.setRangeText('  ', this.input.selectionStart, this.input.selectionEnd, 'end');
    this.typed();
  }

  private async check(): Promise<void> {
    await once(this.checker, async () => {
      setText(this.checker, text.rules.checking);
      try {
        const found = await checkRules(this.input.value);
        if (found.problems.length) this.tell({ complaint: text.rules.wrong(found.problems.length), problems: found.problems });
        else this.tell({ outcome: [text.rules.fine, ...effects(found)] });
      } catch (problem) {
        this.tell({ complaint: why(problem) });
      }
      setText(this.checker, text.rules.check);
    });
  }

  private async save(): Promise<void> {
    await once(this.saver, async () => {
      setText(this.saver, text.rules.saving);
      const written = this.input.value;
      try {
        const { text: words, etag } = await saveRules(written, this.etag, this.note.value.trim());
        this.etag = etag;
        this.loaded = written;
        this.note.value = '';
        this.tell({ outcome: [words] });
        this.saved();
      } catch (problem) {
        const refused = problem instanceof Refusal ? problem : null;
        const problems = refused?.problems ?? [];
        this.tell({ complaint: problems.length ? text.rules.wrong(problems.length) : why(problem), problems, conflict: refused?.status === kChangedMeanwhile });
      }
      setText(this.saver, text.rules.save);
      this.typed();
    });
  }

  private async keepMine(): Promise<void> {
    try {
      this.etag = (await fetchRulesText()).etag;
      this.tell({ outcome: [text.rules.keptMine] });
      this.saver.focus();
    } catch (problem) {
      this.tell({ complaint: why(problem), conflict: true });
    }
  }

  private tell({ complaint = '', problems = [], outcome = [], conflict = false }: { complaint?: string; problems?: FileProblem[]; outcome?: string[]; conflict?: boolean }): void {
    this.complaint.say(complaint);
    this.problems.replaceChildren(...problems.map((problem) => this.line(problem)));
    this.outcome.replaceChildren(...outcome.map((sentence) => el('p', {}, sentence)));
    show(this.conflict, conflict);
  }

  /** A problem of this text leads to its place; one of another file says where that is. */
  private line({ file, line, column, text: words }: FileProblem): HTMLElement {
    if (line === 0 || !file.endsWith('rules.yaml')) return el('li', {}, el('b', {}, text.rules.placeIn(file, line)), ' ', words);
    return el('li', {}, el('button', { type: 'button', class: 'link-button', click: () => this.go(line, column) }, text.rules.place(line, column)), ' ', words);
  }

  private go(line: number, column: number): void {
    const lines = this.input.value.split('\n');
    const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + Math.max(0, column - 1);
    this.input.focus();
    this.input.setSelectionRange(at, at + Math.max(1, (lines[line - 1] ?? '').length - column + 1));
    this.input.scrollTop = (this.input.scrollHeight / Math.max(1, lines.length)) * Math.max(0, line - 4);
  }
}

/** What a text would change, in sentences. */
export function effects({ added, changed, removed, alerts_ended }: RuleCheck): string[] {
  const told = [added.length && text.rules.adds(added.join(', ')), changed.length && text.rules.changes(changed.join(', ')),
    removed.length && text.rules.removes(removed.join(', ')), alerts_ended.length && text.rules.ends(alerts_ended.join(', '))].filter((one): one is string => Boolean(one));
  return told.length ? told : [text.rules.same];
}
