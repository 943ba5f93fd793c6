// The points of the fake gateway that may be set, as docs/api.md has them: a point shows what it was set to.

const refused = (status, detail) => Object.assign(new Error(detail), { status });

export class FakePoints {
  /** @param plant the points that have values */
  constructor(plant) {
    Object.assign(this, { plant, list: [], written: [], waits: null });
  }

  allow(series, more) {
    const { unit, kind, source, states } = this.plant.find(({ name }) => name === series);
    this.list.push({ series, source, kind, unit, interlock: '', ...(states && { states }), ...more });
    return this;
  }

  /** Until `release` is called the device does not answer. */
  hold() {
    let release;
    this.waits = new Promise((done) => (release = done));
    return release;
  }

  /** What is asked for, or undefined where it is none of these paths. Throws what it refuses. */
  async answer(method, path, body, who) {
    if (method === 'GET' && path === '/api/v1/points') return { points: this.list };
    if (method === 'POST' && path === '/api/v1/points/write') return this.write(body, who);
    return undefined;
  }

  async write({ series, value, why = '' }, who) {
    const point = this.list.find((one) => one.series === series), shows = this.plant.find(({ name }) => name === series);
    if (!point) throw refused(404, `'${series}' is no point that may be set`);
    await this.waits;
    if (point.interlock && !this.plant.find(({ name }) => name === point.interlock).value()) {
      throw refused(409, `${series} may not be set now: its interlock ${point.interlock} says no`);
    }
    const code = point.states ? point.states.indexOf(value) : point.kind === 'boolean' ? Number(value === 'on') : Number(value);
    shows.value = () => code;
    this.written.push({ series, value, why, who });
    return { text: `${series} is set to ${value} and was read back` };
  }
}
