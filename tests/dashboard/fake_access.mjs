// The side of the fake gateway that lets people in: users, sessions, one-time links and the code of a new box, as
// docs/api.md has them. Passwords are kept as they are: nobody's are in here.
import { randomBytes } from 'node:crypto';

const kCookie = 'tidegate-session';
const kRanks = ['viewer', 'operator', 'admin'];
const kOpen = new Set(['/api/v1/session', '/api/v1/claim', '/api/v1/log-in']);
export const kPassword = 'a tide comes twice a day';

/** What a request is refused with: the body of a problem, and headers. */
class Problem extends Error {
  constructor(status, title, detail, headers = {}) {
    super(detail);
    Object.assign(this, { status, title, headers });
  }
}

function neededFor(method, path) {
  if (/^\/api\/v1\/(users|tokens|audit|backup)/.test(path) || (method === 'POST' && /\/rules\/(text|rollback|disable|enable)$/.test(path))) return 'admin';
  return method === 'POST' && /^\/api\/v1\/(alerts|rules|points)\//.test(path) ? 'operator' : 'viewer';
}

const secret = () => randomBytes(16).toString('base64url');

export class FakeAccess {
  /** @param ended called with the secrets of sessions that have just ended */
  constructor(ended) {
    this.ended = ended;
    Object.assign(this, { name: 'plant-7', site: 'Hall 3', code: 'K7MQ-2XFD' });
    this.users = new Map();     // name -> { role, password }; password null: none yet
    this.sessions = new Map();  // secret -> { name, csrf }
    this.links = new Map();     // secret -> name
    this.throttled = false;     // as after too many wrong passwords
    this.silent = false;        // GET session has no answer
    this.trouble = '';          // why nobody can log in
    this.add('Eva', 'operator').add('anna', 'admin').add('vic', 'viewer').add('lena', 'operator', null);
  }

  add(name, role, password = kPassword) {
    this.users.set(name, { role, password });
    return this;
  }

  /** Logs `name` in as if by the form; the cookie to carry. */
  enter(name) {
    const value = secret();
    this.sessions.set(value, { name, csrf: secret() });
    return { name: kCookie, value };
  }

  link(name) {
    const value = secret();
    this.links.set(value, name);
    return value;
  }

  end(name) {
    const over = [...this.sessions].filter(([, session]) => session.name === name).map(([value]) => value);
    over.forEach((value) => this.sessions.delete(value));
    this.ended(over);
  }

  /** The secret of the session that comes with a request, or ''. */
  secretOf(request) {
    const value = (request.headers.cookie ?? '').match(new RegExp(`(?:^|; )${kCookie}=([^;]+)`))?.[1];
    return value && this.sessions.has(value) ? value : '';
  }

  userOf(request) {
    const name = this.sessions.get(this.secretOf(request))?.name;
    return name === undefined ? null : { name, ...this.users.get(name) };
  }

  /** Throws a problem where this request may not be answered. */
  judge(request, path) {
    const session = this.sessions.get(this.secretOf(request));
    if (!session && !kOpen.has(path)) throw new Problem(401, 'Not logged in', 'log in first');
    if (session && request.method === 'POST' && request.headers['x-csrf-token'] !== session.csrf) {
      throw new Problem(403, 'Forbidden', 'a change by a log-in comes from its own page');
    }
    const needed = neededFor(request.method, path);
    if (session && kRanks.indexOf(this.userOf(request).role) < kRanks.indexOf(needed)) throw new Problem(403, 'Forbidden', `this needs the role ${needed}`);
  }

  /** The answer to `body` posted to one of the paths of access: its new session's cookie and what GET session says then. */
  post(request, path, body) {
    if (this.throttled && path !== '/api/v1/log-out') throw new Problem(429, 'Too many attempts', 'too many attempts: wait 30 s', { 'Retry-After': '30' });
    switch (path) {
      case '/api/v1/claim': return this.enter(this.claim(body));
      case '/api/v1/log-in': return this.enter('link' in body ? this.follow(body.link) : this.logIn(body));
      case '/api/v1/password': return this.enter(this.setPassword(this.userOf(request), body));
      default: {
        const value = this.secretOf(request);
        this.sessions.delete(value);
        this.ended([value]);
        return { name: kCookie, value: '' };
      }
    }
  }

  claim({ code, name, password }) {
    if (this.users.size) throw new Problem(409, 'Conflict', 'this gateway is claimed already');
    if (code !== this.code) throw new Problem(400, 'Bad request', 'this is not the code of this gateway');
    this.add(name, 'admin', password);
    return name;
  }

  follow(link) {
    const name = this.links.get(link);
    if (!name) throw new Problem(401, 'Not logged in', 'this link is used up or too old');
    this.links.delete(link);
    return name;
  }

  logIn({ name, password }) {
    const user = this.users.get(name);
    if (!user || user.password === null || user.password !== password) throw new Problem(401, 'Not logged in', 'the name or the password is wrong');
    return name;
  }

  setPassword({ name, role, password }, { old, new: next }) {
    if (password !== null && old !== password) throw new Problem(401, 'Wrong password', 'the old password is wrong');
    if (/^(.)\1*$/.test(next)) throw new Problem(400, 'Bad request', 'this password is one of those that are tried first: take another');
    this.add(name, role, next);
    this.end(name);
    return name;
  }

  /** GET session of who carries `value`. */
  session(value) {
    const session = this.sessions.get(value), user = session && this.users.get(session.name);
    return { claimed: this.users.size > 0, name: this.name, site: this.site, secure: false, trouble: this.trouble,
      user: session ? { name: session.name, role: user.role, password: user.password !== null } : null, ...(session && { csrf: session.csrf }) };
  }
}

export const setCookie = ({ name, value }) => `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${value ? '' : '; Max-Age=0'}`;
