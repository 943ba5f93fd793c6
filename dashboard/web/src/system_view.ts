// The gateway itself, for its admin: a backup to take away, its certificate, and the audit.

import type { Deed, State } from './api.ts';
import { el, show } from './dom.ts';
import { Complaint } from './form.ts';
import * as format from './format.ts';
import { address, fetchAudit } from './rest.ts';
import type { Surroundings } from './rules_view.ts';
import { text } from './strings.ts';
import { viewNode, viewSection, why } from './views.ts';

const kDeeds = 50;

export class SystemView {
  readonly node: HTMLElement;
  private readonly certificate = el('div');
  private readonly list = el('ul', { class: 'records' });
  private readonly none = el('p', { class: 'empty', hidden: true }, text.system.auditNone);
  private readonly complaint = new Complaint();
  private readonly more = el('button', { type: 'button', class: 'button', hidden: true, click: () => void this.load(this.next) }, text.views.more);
  private next: string | null = null;

  /** @param state the newest one */
  constructor(private readonly around: Surroundings, private readonly state: () => State | null) {
    this.node = viewNode(
      viewSection('backup', text.system.backup, el('p', {}, text.system.backupWhat), el('p', {}, el('a', { class: 'button', href: address('backup'), download: '' }, text.system.download))),
      viewSection('certificate', text.system.certificate, this.certificate),
      viewSection('audit', text.system.audit, this.complaint.node, this.none, this.list, this.more));
  }

  opened(): void {
    this.showCertificate();
    void this.load(null);
  }

  private showCertificate(): void {
    const certificate = this.state()?.gateway.certificate;
    if (!certificate) return this.certificate.replaceChildren(el('p', {}, text.system.plain));
    const { fingerprint, until, own, trouble } = certificate;
    const rows: [string, HTMLElement | string][] = [[text.system.fingerprint, el('code', {}, fingerprint)], [text.system.validUntil, new Date(until / 1000).toLocaleString()],
      [text.system.ownOrMade, own ? text.system.own : text.system.selfSigned]];
    this.certificate.replaceChildren(el('dl', { class: 'facts' }, ...rows.map(([name, fact]) => el('div', {}, el('dt', {}, name), el('dd', {}, fact)))),
      ...(trouble ? [el('p', { class: 'form-error' }, text.certificate(trouble))] : []));
  }

  private async load(before: string | null): Promise<void> {
    try {
      const { items, next } = await fetchAudit(kDeeds, before);
      const lines = items.map((deed) => this.line(deed));
      if (before === null) this.list.replaceChildren(...lines);
      else this.list.append(...lines);
      this.next = next;
      show(this.more, next !== null);
      show(this.none, this.list.childElementCount === 0);
      this.complaint.say('');
    } catch (problem) {
      this.complaint.say(why(problem));
    }
  }

  private line({ time, who, what, about, detail, sealed }: Deed): HTMLElement {
    return el('li', { class: `record deed${sealed ? '' : ' unsealed'}` },
      el('time', { class: 'muted', datetime: new Date(time / 1000).toISOString() }, format.moment(time, this.around.now())),
      el('div', {}, el('p', {}, el('b', {}, who), ' ', what, ' ', about && about !== who && el('b', {}, about)), detail && el('p', { class: 'muted' }, detail),
        !sealed && el('p', { class: 'form-error' }, text.system.unsealed)));
  }
}
