// A gateway's HTTP side without the gateway: serves the built page and speaks docs/api.md with moving values, so that the
// page can be designed and tested on its own. `node fake_server.mjs --dist DIR [--port N]`, or FakeGateway in a test.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';

import { FakeAccess, kPassword, setCookie } from './fake_access.mjs';
import { FakeDesk } from './fake_desk.mjs';
import { FakePoints } from './fake_points.mjs';

const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json' };
export const kSecurityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'same-origin', 'Cross-Origin-Opener-Policy': 'same-origin',
};
const kSecond = 1e6, kHour = 3600 * kSecond;

const wave = (t, period, low, high, phase = 0) => low + ((high - low) * (1 + Math.sin((t / kSecond / period) * 2 * Math.PI + phase))) / 2;
const noise = (t, size) => size * (Math.sin(t / 171_000) + Math.sin(t / 53_000) + Math.sin(t / 910_000)) / 3;

/** name, unit, source, area, value(t), and what differs from an ordinary number. */
export function plant() {
  const number = (name, unit, source, area, value, more = {}) => ({ name, unit, source, area, value, kind: 'number', every: 1, ...more });
  return [
    number('boiler1/temperature', '°C', 'plant', 'boiler-house', (t) => wave(t, 240, 78, 96) + noise(t, 0.4)),
    number('boiler1/pressure', 'bar', 'plant', 'boiler-house', (t) => wave(t, 240, 1.8, 2.3) + noise(t, 0.02)),
    number('boiler1/flow', 'l/min', 'plant', 'boiler-house', (t) => wave(t, 90, 31, 38) + noise(t, 0.8)),
    number('boiler1/burner', '', 'plant', 'boiler-house', (t) => Math.floor(t / kSecond / 40) % 3, { kind: 'state', states: ['idle', 'ignite', 'run'] }),
    number('boiler2/temperature', '°C', 'plant', 'boiler-house', (t) => wave(t, 310, 71, 79, 2) + noise(t, 0.3)),
    number('boiler2/pressure', 'bar', 'plant', 'boiler-house', (t) => wave(t, 310, 1.6, 1.9, 2)),
    number('coldroom/temperature', '°C', 'plant', 'cold-store', (t) => wave(t, 420, -21, -17.5) + noise(t, 0.2)),
    number('coldroom/humidity', '%', 'plant', 'cold-store', (t) => wave(t, 520, 61, 68)),
    number('coldroom/door', '', 'plant', 'cold-store', (t) => Number(t / kSecond % 120 < 14), { kind: 'boolean' }),
    number('pump3/speed', 'rpm', 'plant', 'water', (t) => 1450 + noise(t, 12)),
    number('pump3/current', 'A', 'plant', 'water', (t) => 11.2 + noise(t, 0.5)),
    number('pump3/vibration', 'mm/s', 'plant', 'water', (t) => wave(t, 600, 1.1, 3.2) + noise(t, 0.2)),
    number('tank1/level', '%', 'plant', 'water', (t) => wave(t, 900, 34, 88)),
    number('tank1/volume', 'l', 'plant', 'water', (t) => wave(t, 900, 1200, 8100)),
    number('meter1/energy', 'kWh', 'field', 'power', (t) => Math.floor(48_211 + (t - 1.79e15) / kHour), { kind: 'counter' }),
    number('meter1/power', 'kW', 'field', 'power', (t) => wave(t, 130, 12, 38) + noise(t, 1.5)),
    number('office/temperature', '°C', 'field', '', (t) => 21.5 + noise(t, 0.4), { every: 5 }),
    number('office/humidity', '%', 'field', '', (t) => 44 + noise(t, 2), { every: 5 }),
    number('office/battery', '%', 'field', '', () => 87, { every: 30, reason: 'retained' }),
    number('gate-sensor/contact', '', 'field', '', (t) => Number(t / kSecond % 60 < 30), { kind: 'boolean', every: 4 }),
    number('host/cpu', '%', 'host', '', (t) => 9 + noise(t, 6), { every: 2 }),
    number('host/memory/used', 'B', 'host', '', (t) => 412e6 + noise(t, 20e6), { every: 2 }),
    number('host/disk/used', 'B', 'host', '', () => 6.1e9, { every: 2 }),
    number('host/net/received', 'B/s', 'host', '', (t) => 48_000 + noise(t, 30_000), { every: 2 }),
    number('host/uptime', 's', 'host', '', (t) => (t / kSecond) % 1e6, { every: 2 }),
    number('self/queue_depth', '', 'self', '', (t) => Math.round(6 + noise(t, 5)), { every: 2 }),
    number('self/commit_p99', 'ms', 'self', '', (t) => 4.2 + noise(t, 1.5), { every: 2 }),
    number('self/rss', 'B', 'self', '', (t) => 21e6 + noise(t, 4e5), { every: 2 }),
  ];
}

const kSpans = { '15m': kHour / 4, '1h': kHour, '8h': 8 * kHour, '1d': 24 * kHour };

export class FakeGateway {
  constructor({ dist, port = 0, demo = false, insecure = false, version = '0.1.0', pingSeconds = 10, points = plant() }) {
    Object.assign(this, { dist, port, demo, insecure, version, pingSeconds, points });
    this.epoch = `e${Date.now().toString(36)}`;
    this.started = this.now() - 6 * kHour;
    this.seq = 1000;
    this.alerts = new Map();
    this.log = [];
    this.flood = null;
    this.floods = [];
    this.deadLetters = [];
    this.snapshots = [];
    this.streams = new Map();  // response -> secret of its session
    this.access = new FakeAccess((secrets) => this.endStreams(secrets));
    this.desk = new FakeDesk(this.access, () => this.now());
    this.settable = new FakePoints(points);
    this.certificate = null;
    this.asked = [];           // "GET /api/v1/session" and so on, in order
    this.failing = new Map();  // series name -> reason of a failed read, or 'silent'
    this.upstreamDownSince = null;
    this.plantTurns = { lateness_ms: 2.8, time_ms: 12.1, missed: 0 };
    this.busy = false;
    this.alertsUnreadable = false;
    this.mute = false;         // a half-open link: the socket stays, nothing is said
  }

  now() { return Math.round((performance.timeOrigin + performance.now()) * 1000); }

  async start() {
    this.server = createServer((request, response) => this.serve(request, response));
    await new Promise((done, fail) => this.server.once('error', fail).listen(this.port, '127.0.0.1', done));
    this.port = this.server.address().port;
    this.timers = [setInterval(() => this.sendDelta(), 500), setInterval(() => this.sendState(), 1000),
      setInterval(() => this.send('ping', { time: this.now() }), this.pingSeconds * 1000)];
    return this;
  }

  /** As kill -9 does: every socket closes, nobody is told. */
  async stop() {
    this.timers.forEach(clearInterval);
    this.streams.clear();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  get url() { return `http://127.0.0.1:${this.port}/`; }

  reading(point, t = this.now()) {
    const failure = this.failing.get(point.name);
    if (failure && failure !== 'silent') return [t, null, 'bad', failure];
    if (failure === 'silent') return point.lastReading ?? null;
    const time = point.reason === 'retained' ? this.started : Math.floor(t / kSecond / point.every) * point.every * kSecond;
    const value = Math.round(point.value(time) * 1000) / 1000;
    return (point.lastReading = [time, value, point.reason ? 'uncertain' : 'good', point.reason ?? '']);
  }

  series(point) {
    return { name: point.name, kind: point.kind, unit: point.unit, source: point.source, labels: point.area ? { area: point.area } : {},
      ...(point.states && { states: point.states }), stale_after: (point.reason ? 86_400 : Math.max(3 * point.every, 4)) * kSecond, last: this.reading(point) };
  }

  allSeries() { return this.points.map((point) => this.series(point)); }

  state() {
    const behind = this.upstreamDownSince === null ? 1.2 * kSecond : this.now() - this.upstreamDownSince;
    const down = this.upstreamDownSince !== null;
    const source = (name, type, rate, more = {}) => ({ name, type, health: 'up', text: '', since: this.started,
      series: this.points.filter((point) => point.source === name).length, rate, rejected: 0, turns: null, ...more });
    const rule = (name, kind, condition, severity, series, instances, unfit = 0, problems = []) => ({ name, kind, condition, severity, series, instances, unfit, problems,
      active: [...this.alerts.values()].filter((alert) => alert.rule === name && !alert.silenced && ['active', 'clearing'].includes(alert.phase)).length });
    return {
      gateway: { name: 'plant-7', site: 'Hall 3', version: this.version, started: this.started, time: this.now(), epoch: this.epoch, demo: this.demo, insecure: this.insecure, certificate: this.certificate },
      sources: [source('plant', 'simulator', 14, { turns: this.plantTurns }), source('field', 'mqtt', 3.2, { rejected: this.deadLetters.length, ...this.fieldHealth }),
        source('host', 'host', 2.5), source('self', 'self', 1.5)],
      rules: [rule('boiler-overheating', 'threshold', 'above 90 °C for 30 s, clear below 85 °C', 'critical', '{device}/temperature', 4),
        rule('cold-room-warming', 'trend', 'rising faster than 0.2 °C/min over 10 min', 'high', 'coldroom/temperature', 1),
        rule('sensor-silent', 'absence', 'no sample for 5 min', 'warning', '{device}/+', 19), ...(this.moreRules ?? []).map((more) => rule(...more))],
      flood: this.flood,
      store: { health: 'up', text: '', takes_samples: true, takes_alerts: true, alerts_waiting: 0, notices: [], rate: 21.2, commit_p50_ms: 2.1, commit_p99_ms: 6.4, queue_depth: 3, queue_capacity: 65_536, dropped: 0,
        used_bytes: 148e6, max_bytes: 2 ** 30,
        wear: { bytes_a_sample: 11.2, bytes_a_day: 9.6e8, life_years: 14.2 }, oldest: this.started - 20 * 24 * kHour, last_seq: this.seq, ...this.storeHealth },
      uplinks: this.noUplink ? [] : [{ name: 'cloud', type: 'mqtt', health: down ? 'down' : 'up',
        text: down ? 'broker cloud.example:8883 did not answer; next try in 8 s' : '', backlog_batches: down ? Math.round(behind / 200_000) : 2,
        backlog_oldest: this.now() - behind, rate: down ? 0 : 21, drain_seconds: down ? null : 0.4, last_ack: this.now() - behind, lost_batches: 0 }],
    };
  }

  hello() {
    return { epoch: this.epoch, time: this.now(), version: this.version, name: 'plant-7', site: 'Hall 3', ping_seconds: this.pingSeconds, max_streams: 64, demo: this.demo };
  }

  frame(type, data, id = '') { return `${id && `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`; }

  send(type, data, id = '') {
    if (this.mute) return;
    for (const stream of this.streams.keys()) stream.write(this.frame(type, data, id));
  }

  endStreams(secrets) {
    for (const [stream, secret] of this.streams) {
      if (!secrets.includes(secret)) continue;
      stream.end(this.frame('bye', { why: 'logged-out' }));
      this.streams.delete(stream);
    }
  }

  sendDelta() {
    const values = {};
    for (const point of this.points) {
      const reading = this.reading(point);
      if (!reading || JSON.stringify(reading) === point.sent) continue;
      point.sent = JSON.stringify(reading);
      values[point.name] = reading;
    }
    if (Object.keys(values).length) this.send('delta', { time: this.now(), values });
  }

  sendState() { this.send('state', this.state()); }

  /** Moves an alert to `phase` and tells of it; fields of `change` win. */
  transition(id, cause, change) {
    const before = this.alerts.get(id);
    const now = this.now();
    const alert = { id, rule: id.split(':')[0], series: '', phase: 'active', acknowledged: false, acknowledged_by: '', note: '', severity: 'warning',
      since: now, raised: now, value: null, limit: null, unit: '', message: '', labels: {}, runbook: '', shelved_until: null, out_of_service: false, shelved_by: '', shelved_why: '', suppressed_by: '', shadow: false,
      chatter: 0, chatter_band: 0, commented_by: '', comment: '', evidence: { version: '', from: null, to: null, series: [], facts: [] }, ...before, ...change };
    const shelved = alert.shelved_until !== null || alert.out_of_service;
    alert.silenced = shelved || alert.suppressed_by !== '' || alert.shadow;
    if (alert.phase === 'normal' && !shelved) this.alerts.delete(id);
    else this.alerts.set(id, alert);
    const event = { seq: ++this.seq, time: now, cause, from: before?.phase ?? 'normal', alert, publish: [], write: [] };
    this.log.unshift(event);
    this.send('alert', { seq: this.seq, alerts: [event] }, `${this.epoch}:${this.seq}`);
    return alert;
  }

  raise(id, fields) { return this.transition(id, 'raised', { phase: 'active', ...fields }); }
  /** Begins with `flood` and ends with null, told as the gateway does. */
  setFlood(flood) {
    const event = { seq: ++this.seq, time: this.now(), on: flood !== null, ...(flood ?? this.flood) };
    this.flood = flood;
    this.floods.unshift(event);
    this.send('flood', { seq: event.seq, floods: [event] }, `${this.epoch}:${event.seq}`);
    this.sendState();
  }
  clear(id) { return this.transition(id, 'cleared', { phase: 'normal', since: this.now() }); }

  serve(request, response) {
    const url = new URL(request.url, this.url);
    for (const [name, value] of Object.entries(kSecurityHeaders)) response.setHeader(name, value);
    const json = (body, status = 200, headers = {}) => {
      response.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', 'Cache-Control': 'no-store', ...headers });
      response.end(JSON.stringify(body));
    };
    const problem = ({ status, title, message, headers }) => json({ title, status, detail: message }, status, headers);
    if (!url.pathname.startsWith('/api/')) return this.serveFile(url.pathname, response);
    this.asked.push(`${request.method} ${url.pathname}`);
    try {
      this.access.judge(request, url.pathname);
    } catch (refusal) {
      return problem(refusal);
    }
    const limit = Number(url.searchParams.get('limit') ?? 100);
    switch (url.pathname) {
      case '/api/v1/stream': return this.serveStream(request, response, url);
      case '/api/v1/series': return json({ series: this.allSeries() });
      case '/api/v1/history': return json(this.history(url.searchParams));
      case '/api/v1/alerts': return json({ alerts: [...this.alerts.values()] });
      case '/api/v1/alerts/log': return json({ log: this.log.slice(0, limit), floods: this.floods });
      case '/api/v1/session': return this.access.silent ? response.destroy() : json(this.access.session(this.access.secretOf(request)));
      case '/api/v1/claim':
      case '/api/v1/log-in':
      case '/api/v1/log-out':
      case '/api/v1/password': return this.serveAccess(request, url.pathname, json, problem);
      case '/api/v1/alerts/ack': return this.serveAcknowledge(request, json);
      case '/api/v1/alerts/shelve': return this.serveShelve(request, json);
      case '/api/v1/alerts/unshelve': return this.serveUnshelve(request, json);
      case '/api/v1/alerts/comment': return this.serveComment(request, json);
      case '/api/v1/snapshots': return json({ snapshots: this.snapshots.filter((one) => one.alert === url.searchParams.get('alert')).slice(0, limit) });
      case '/api/v1/state': return json(this.state());
      case '/api/v1/dead-letters': return json({ dead_letters: this.deadLetters.slice(0, limit) });
      case '/api/v1/backup': return this.serveBackup(response);
      default: return this.serveDesk(request, url, json);
    }
  }

  serveFile(path, response) {
    try {
      const file = join(this.dist, normalize(path === '/' ? '/index.html' : path));
      const body = readFileSync(file);
      response.writeHead(200, { 'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found');
    }
  }

  serveStream(request, response, url) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    if (this.busy) return response.end(`retry: 30000\n${this.frame('busy', { max_streams: 64 })}`);
    if (this.mute) return this.streams.set(response, this.access.secretOf(request));
    const lastId = request.headers['last-event-id'] ?? url.searchParams.get('last_event_id') ?? '';
    response.write(`retry: 3000\n${this.frame('hello', this.hello())}`);
    response.write(this.frame('snapshot', { time: this.now(), series: this.allSeries(), alerts: this.alertsUnreadable ? null : [...this.alerts.values()], state: this.state() }));
    if (lastId && !lastId.startsWith(`${this.epoch}:`)) response.write(this.frame('gap', { first: null, last: null, why: 'epoch' }));
    else if (lastId) this.replay(response, Number(lastId.split(':')[1]));
    this.streams.set(response, this.access.secretOf(request));
    request.on('close', () => this.streams.delete(response));
  }

  replay(response, after) {
    for (const event of [...this.log].reverse()) {
      if (event.seq > after) response.write(this.frame('alert', { seq: event.seq, alerts: [event] }, `${this.epoch}:${event.seq}`));
    }
  }

  async serveAccess(request, path, json, problem) {
    const body = await bodyOf(request);
    try {
      const cookie = this.access.post(request, path, body);
      json(this.access.session(cookie.value), 200, { 'Set-Cookie': setCookie(cookie) });
    } catch (refusal) {
      problem(refusal);
    }
  }

  /** Answers a wish about an alert with what `act` makes of it; whoever asks does it. */
  serveWish(request, json, act) {
    const who = this.access.userOf(request).name;
    bodyOf(request).then((wish) => {
      if ('who' in wish) return json({ title: 'Bad request', status: 400, detail: 'unknown field who' }, 400);
      const alert = this.alerts.get(wish.id);
      if (!alert) return json({ title: 'Not found', status: 404, detail: `There is no alert '${wish.id}' any more.` }, 404);
      const answer = act(alert, { ...wish, who });
      return typeof answer === 'string' ? json({ title: 'Conflict', status: 409, detail: answer }, 409) : json({ alert: answer });
    });
  }

  serveAcknowledge(request, json) {
    this.serveWish(request, json, (alert, { id, who, note = '' }) => alert.acknowledged ? 'Somebody has acknowledged this alert already.'
      : this.transition(id, 'acknowledged', { acknowledged: true, acknowledged_by: who, note }));
  }

  serveComment(request, json) {
    this.serveWish(request, json, (alert, { id, who, text }) => this.transition(id, 'commented', { commented_by: who, comment: text }));
  }

  serveBackup(response) {
    response.writeHead(200, { 'Content-Type': 'application/x-tar', 'Content-Disposition': 'attachment; filename="tidegate-plant-7.tar"' }).end('tar');
  }

  async serveDesk(request, url, json) {
    const body = request.method === 'POST' ? await bodyOf(request) : null;
    try {
      const who = this.access.userOf(request).name;
      const answer = await this.settable.answer(request.method, url.pathname, body, who)
        ?? this.desk.answer(request.method, url.pathname, url.searchParams, body, request.headers, who);
      if (answer === undefined) return json({ title: 'Not found', status: 404, detail: url.pathname }, 404);
      json(answer);
    } catch ({ status = 500, message, more }) {
      json({ title: 'Refused', status, detail: message, ...more }, status);
    }
  }

  serveShelve(request, json) {
    this.serveWish(request, json, (alert, { id, who, why, for: span, out_of_service = false }) => this.transition(id, 'shelved',
      { shelved_until: out_of_service ? null : this.now() + kSpans[span], out_of_service, shelved_by: who, shelved_why: why }));
  }

  serveUnshelve(request, json) {
    this.serveWish(request, json, (alert, { id, who }) => alert.shelved_until === null && !alert.out_of_service ? 'This alert is not shelved.'
      : this.transition(id, 'unshelved', { shelved_until: null, out_of_service: false, shelved_by: who, shelved_why: '' }));
  }

  history(query) {
    const to = Number(query.get('to') ?? this.now()), from = Number(query.get('from') ?? to - kHour), points = Number(query.get('points') ?? 300);
    const begin = Math.max(from, this.historyFrom ?? 0), width = (to - from) / points;
    const series = query.getAll('series').map((name) => {
      const point = this.points.find((candidate) => candidate.name === name);
      const out = [];
      for (let t = from; point && t < Math.min(to, this.now()); t += Math.max(width, point.every * kSecond)) {
        if (t < begin || (this.gap && t > this.gap[0] && t < this.gap[1])) continue;
        const value = point.value(t), spread = point.kind === 'number' ? Math.abs(noise(t, value * 0.01)) + Math.abs(value) * 0.004 * Math.min(1, width / 1e7) : 0;
        out.push([Math.round(t), value - spread, value + spread, value, value, Math.max(1, Math.round(width / point.every / kSecond)), 0]);
      }
      return { name, points: out };
    });
    return { from, to, series };
  }
}

async function bodyOf(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return JSON.parse(body);
}

/** A scripted afternoon for the eye: an alert comes and goes, a sensor fails, the upstream drops out. */
export function playScenes(gateway) {
  gateway.demo = true;
  gateway.gap = [gateway.now() - 34 * 60 * kSecond, gateway.now() - 27 * 60 * kSecond];
  gateway.failing.set('pump3/vibration', 'no_answer');
  gateway.reading(gateway.points.find(({ name }) => name === 'office/humidity'), gateway.now() - 240 * kSecond);
  gateway.failing.set('office/humidity', 'silent');
  gateway.deadLetters.push(
    { id: 2, time: gateway.now() - 40 * kSecond, times: 3, source: 'field', topic: 'tele/boiler9/SENSOR', payload: '{"Time":"2026-', reason: 'JSON ends in the middle of a string' },
    { id: 1, time: gateway.now() - kHour, times: 1, source: 'field', topic: 'legacy/<b>pump</b>', payload: '<img src=x onerror=alert(1)>', reason: 'not a number' });
  gateway.raise('sensor-silent:office', { series: 'office/humidity', severity: 'warning', message: 'office has sent no humidity for 5 min', value: 300, limit: 300, unit: 's' });
  gateway.transition('sensor-silent:office', 'acknowledged', { acknowledged: true, acknowledged_by: 'Eva', note: 'battery ordered' });
  gateway.raise('cold-room-warming:coldroom', { series: 'coldroom/temperature', severity: 'high', message: 'Cold room warms by 0.31 °C/min', value: 0.31, limit: 0.2, unit: '°C/min', labels: { area: 'cold-store' } });
  gateway.clear('cold-room-warming:coldroom');
  gateway.raise('boiler-overheating:boiler1', { series: 'boiler1/temperature', severity: 'critical', message: 'boiler1 is at 93.2 °C, limit 90 °C',
    value: 93.2, limit: 90, unit: '°C', labels: { area: 'boiler-house' }, runbook: 'Close V12, then call the boiler desk.' });
  gateway.raise('pump-vibrates:pump3', { series: 'pump3/vibration', severity: 'high', message: 'pump3 vibrates at 7.6 mm/s', value: 7.6, limit: 7.1, unit: 'mm/s', chatter: 6, chatter_band: 0.4,
    evidence: { version: '5c1f09be', from: gateway.now() - 600_000_000, to: gateway.now(), series: ['pump3/running'], facts: [{ name: 'samples', value: 600, unit: '', state: '' }, { name: 'pump3/running', value: 1, unit: '', state: 'on' }] } });
  gateway.raise('tank-low:tank1', { series: 'tank1/level', severity: 'warning', message: 'tank1 is down to 18 %', value: 18, limit: 20, unit: '%' });
  gateway.transition('tank-low:tank1', 'shelved', { shelved_until: gateway.now() + kHour, shelved_by: 'Eva', shelved_why: 'being emptied for cleaning' });
  gateway.raise('pump-slow:pump3', { series: 'pump3/speed', severity: 'warning', message: 'pump3 is slow', value: 900, limit: 1000, unit: 'rpm' });
  gateway.transition('pump-slow:pump3', 'suppressed', { suppressed_by: 'pump-vibrates:pump3' });
  gateway.raise('meter-trial:meter1', { series: 'meter1/power', severity: 'info', message: 'meter1 takes 140 kW', value: 140, limit: 135, unit: 'kW', shadow: true });
  gateway.transition('pump-vibrates:pump3', 'escalated', { severity: 'critical' });
  gateway.alerts.set('boiler-overheating:boiler2', { ...gateway.alerts.get('boiler-overheating:boiler1'), id: 'boiler-overheating:boiler2',
    series: 'boiler2/temperature', phase: 'pending', acknowledged: true, raised: null, message: 'boiler2 is at 90.4 °C, limit 90 °C', value: 90.4 });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const option = (name, fallback) => { const at = process.argv.indexOf(name); return at < 0 ? fallback : process.argv[at + 1]; };
  const gateway = await new FakeGateway({ dist: option('--dist', 'dist'), port: Number(option('--port', 8090)) }).start();
  if (!process.argv.includes('--quiet')) playScenes(gateway);
  if (process.argv.includes('--upstream-down')) gateway.upstreamDownSince = gateway.now() - 4 * 60 * kSecond;
  if (process.argv.includes('--unclaimed')) gateway.access.users.clear();
  else console.log(`log in as ${[...gateway.access.users].filter(([, { password }]) => password).map(([name]) => name).join(', ')}: ${kPassword}; as lena: ${gateway.url}#link=${gateway.access.link('lena')}`);
  console.log(`fake gateway at ${gateway.url}${gateway.access.users.size ? '' : `, to be claimed with ${gateway.access.code}`}`);
}
