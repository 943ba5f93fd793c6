// The side of the fake gateway that is looked after: rules with their history, users, tokens and the audit, as docs/api.md
// has them. A line with "wrong" in it is wrong.
import { createHash, randomBytes } from 'node:crypto';

const kRules = 'rules:\n  - name: hot\n    series: "{device}/temperature"\n    threshold: {above: 90}\n';

class Refused extends Error {
  constructor(status, detail, more = {}) {
    super(detail);
    Object.assign(this, { status, more });
  }
}

const tag = (text) => createHash('sha256').update(text).digest('hex').slice(0, 8);
const problemsOf = (text) => text.split('\n').flatMap((line, at) => line.includes('wrong')
  ? [{ file: 'rules.yaml', line: at + 1, column: line.indexOf('wrong') + 1, text: "unknown key 'wrong' (did you mean 'series'?)" }] : []);
const namesOf = (text) => [...text.matchAll(/name: *([\w-]+)/g)].map(([, name]) => name);

export class FakeDesk {
  constructor(access, now) {
    Object.assign(this, { access, now });
    this.versions = [{ version: 1, time: now() - 3 * 86_400e6, who: 'the gateway', why: 'started', note: '', text: kRules }];
    this.off = new Map();
    this.tokens = [];
    this.audit = [];
    this.deed('the gateway', 'configuration', '1', 'started');
  }

  get text() { return this.versions[0].text; }

  deed(who, what, about, detail = '') {
    this.audit.unshift({ id: this.audit.length + 1, time: this.now(), who, what, about, detail, sealed: true });
  }

  /** As if somebody else had saved it. */
  put(text, who, why, note = '') {
    this.versions.unshift({ version: this.versions.length + 1, time: this.now(), who, why, note, text });
    this.deed(who, 'configuration', String(this.versions.length), why);
    return { text: 'the rules are at work', etag: tag(text) };
  }

  /** What is asked for, or undefined where it is none of these paths. Throws what it refuses. */
  answer(method, path, query, body, headers, who) {
    const page = (items, name) => {
      const limit = Number(query.get('limit') ?? 100), from = Number(query.get('before') ?? 0);
      return { [name]: items.slice(from, from + limit), next: from + limit < items.length ? String(from + limit) : null };
    };
    switch (`${method} ${path}`) {
      case 'GET /api/v1/rules': return { rules: this.rules() };
      case 'GET /api/v1/rules/text': return { text: this.text, etag: tag(this.text) };
      case 'POST /api/v1/rules/text': return this.replace(body.text, headers['if-match'], who, 'rules saved', body.note);
      case 'POST /api/v1/rules/validate': return this.check(body.text);
      case 'POST /api/v1/rules/disable':
      case 'POST /api/v1/rules/enable': return this.turn(path.endsWith('disable'), body, who);
      case 'GET /api/v1/rules/history': return page(this.versions.map(({ text, ...version }) => version), 'versions');
      case 'GET /api/v1/rules/diff': return this.diff(Number(query.get('from')));
      case 'POST /api/v1/rules/rollback': return this.replace(this.versions.find(({ version }) => version === body.version).text, headers['if-match'], who, `rules of version ${body.version} again`, body.note);
      case 'GET /api/v1/users': return this.users();
      case 'POST /api/v1/users': return this.addUser(body, who);
      case 'POST /api/v1/users/remove': return this.removeUser(body.name, who);
      case 'POST /api/v1/users/role': return this.setRole(body, who);
      case 'POST /api/v1/users/password': return this.setPassword(body, who);
      case 'GET /api/v1/tokens': return { tokens: this.tokens };
      case 'POST /api/v1/tokens': return this.makeToken(body, who);
      case 'POST /api/v1/tokens/remove': return this.removeToken(body.id, who);
      case 'GET /api/v1/audit': return page(this.audit, 'audit');
      default: return undefined;
    }
  }

  rules() {
    const rule = (name, at) => ({ name, kind: 'threshold', condition: 'above 90', severity: 'warning', series: '{device}/temperature', instances: 2, active: 0, unfit: 0, problems: [],
      off: this.off.has(name), off_by: '', off_since: null, off_note: '', ...this.off.get(name), version: '5c1f09be', enabled: true, ...at });
    return [...namesOf(this.text).map((name, at) => rule(name, { file: 'rules.yaml', line: 2 + 3 * at, editable: true })),
      rule('boiler-overheating', { severity: 'critical', file: 'tidegate.yaml', line: 12, editable: false })];
  }

  check(text) {
    const before = namesOf(this.text), after = namesOf(text);
    return { problems: problemsOf(text), added: after.filter((name) => !before.includes(name)), removed: before.filter((name) => !after.includes(name)), changed: [], alerts_ended: [] };
  }

  replace(text, expected, who, why, note = '') {
    if (!expected) throw new Refused(428, 'say which text this one replaces: If-Match');
    if (expected !== '*' && expected !== `"${tag(this.text)}"`) throw new Refused(412, `${this.versions[0].who} has changed the rules meanwhile: read them anew`);
    const problems = problemsOf(text);
    if (problems.length) throw new Refused(400, 'rules.yaml:2:5: wrong', { problems });
    return this.put(text, who, why, note);
  }

  turn(off, { name, note = '' }, who) {
    if (off) this.off.set(name, { off_by: who, off_since: this.now(), off_note: note });
    else this.off.delete(name);
    this.deed(who, off ? 'turn off' : 'turn on', name, note);
    return { text: `rule '${name}' is ${off ? 'off' : 'on'}`, etag: tag(this.text) };
  }

  diff(from) {
    const before = this.versions.find(({ version }) => version === from).text.split('\n'), after = this.text.split('\n');
    const gone = before.filter((line) => !after.includes(line));
    const lines = [...gone.map((text) => ({ kind: 'removed', from: 1, to: null, text })),
      ...after.map((text) => ({ kind: before.includes(text) ? 'both' : 'added', from: null, to: 1, text }))];
    return { from, to: null, text: '', lines };
  }

  users() {
    return { users: [...this.access.users].map(([name, { role, password }]) => ({ name, role, password: password !== null, since: this.now() - 86_400e6 })) };
  }

  addUser({ name, role, password }, who) {
    if (this.access.users.has(name)) throw new Refused(409, `there is a user '${name}' already`);
    this.access.add(name, role, password);
    this.deed(who, 'add user', name, role);
    return this.users();
  }

  onlyAdmin(name) {
    const admins = [...this.access.users].filter(([, { role }]) => role === 'admin');
    if (admins.length === 1 && admins[0][0] === name) throw new Refused(409, `'${name}' is the only admin: make another one first`);
  }

  removeUser(name, who) {
    this.onlyAdmin(name);
    this.access.users.delete(name);
    this.access.end(name);
    this.deed(who, 'remove user', name);
    return this.users();
  }

  setRole({ name, role }, who) {
    if (role !== 'admin') this.onlyAdmin(name);
    this.access.users.get(name).role = role;
    this.deed(who, 'set role', name, role);
    return this.users();
  }

  setPassword({ name, password }, who) {
    this.access.users.get(name).password = password;
    this.access.end(name);
    this.deed(who, 'set password', name);
    return this.users();
  }

  makeToken({ name, role, scope = '', lasts }, who) {
    if (!role === !scope) throw new Refused(400, 'say either "role" or "scope"');
    const token = randomBytes(32).toString('base64url');
    this.tokens.push({ id: this.tokens.length + 1, name, role: role ?? (scope.startsWith('push') ? 'operator' : 'viewer'), scope, made: this.now(), made_by: who,
      until: lasts ? this.now() + parseInt(lasts, 10) * 86_400e6 : null });
    this.deed(who, 'make token', name, role ?? scope);
    return { token, tokens: this.tokens };
  }

  removeToken(id, who) {
    this.deed(who, 'remove token', this.tokens.find((token) => token.id === id).name);
    this.tokens = this.tokens.filter((token) => token.id !== id);
    return { tokens: this.tokens };
  }
}
