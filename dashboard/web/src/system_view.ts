// The gateway itself, for its admin: a backup to take away, its certificate, and the audit.

import type { Deed, State } from './api.ts';
import { el } from './dom.ts';
import * as format from './format.ts';
import { RecordList } from './record_list.ts';
import { address, fetchAudit } from './rest.ts';
import type { Surroundings } from './rules_view.ts';
import { text } from './strings.ts';
import { viewNode, viewSection } from './views.ts';

const kDeeds = 50;

export class SystemView {
  readonly node: HTMLElement;
  private readonly certificate = el('div');
  private readonly audit = new RecordList<Deed>(text.system.auditNone, (before) => fetchAudit(kDeeds, before), (deed) => this.line(deed));

  /** @param state the newest one */
  constructor(private readonly around: Surroundings, private readonly state: () => State | null) {
    this.node = viewNode(
      viewSection('backup', text.system.backup, el('p', {}, text.system.backupWhat), el('p', {}, el('a', { class: 'button', href: address('backup'), download: '' }, text.system.download))),
      viewSection('certificate', text.system.certificate, this.certificate),
      viewSection('audit', text.system.audit, this.audit.node));
  }

  opened(): void {
    this.showCertificate();
    void this.audit.load();
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

  private line({ time, who, what, about, detail, sealed }: Deed): HTMLElement {
    return el('li', { class: `record deed${sealed ? '' : ' unsealed'}` },
      el('time', { class: 'muted', datetime: new Date(time / 1000).toISOString() }, format.moment(time, this.around.now())),
      el('div', {}, el('p', {}, el('b', {}, who), ' ', what, ' ', about && about !== who && el('b', {}, about)), detail && el('p', { class: 'muted' }, detail),
        !sealed && el('p', { class: 'form-error' }, text.system.unsealed)));
  }
}
