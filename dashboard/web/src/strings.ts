// Every word that the page says, in one place, ready to be translated. Sentences are whole: no code glues fragments.

import type { Freshness, Tally } from './freshness.ts';
import type { GapCause, Health, Phase, Reason, Severity } from './api.ts';

const plural = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

export const text = {
  product: 'Tidegate',
  now: 'now',
  never: 'never',
  ago: (span: string) => `${span} ago`,
  noValue: '–',
  on: 'on',
  off: 'off',
  unknownState: (code: number) => `state ${code}`,

  rest: {
    noAnswer: 'The gateway did not answer. Check the connection and try again.',
    status: (status: number) => `The gateway answered with status ${status}.`,
  },

  link: {
    connecting: 'Connecting',
    live: 'Live',
    delayed: (seconds: number) => `Delayed ${seconds} s`,
    reconnecting: (seconds: number) => `Reconnecting in ${seconds} s`,
    trying: 'Reconnecting now',
    resting: 'Resting',
    offlineSince: (time: string, span: string) => `Offline since ${time} (${span}). The values below are the last known ones.`,
    busy: 'The gateway has as many viewers as it allows. This page tries again by itself; closing another Tidegate tab helps.',
    bye: 'The gateway is stopping or restarting. This page comes back by itself.',
    firstContact: 'Waiting for the gateway to answer.',
    retryNow: 'Try now',
    back: (span: string) => `Connected again after ${span}.`,
    restarted: 'The gateway was restarted.',
    newVersion: (version: string) => `The gateway now runs version ${version}. Reload this page to match it.`,
    reload: 'Reload',
  },

  pause: {
    pause: 'Pause',
    resume: 'Resume',
    banner: (time: string) => `Paused at ${time}. Values and ages below are from that moment; alerts and connection still move.`,
  },

  demo: 'Demo: a simulated plant beside this machine’s own readings. Start with --config FILE to see your own sensors.',

  status: {
    waiting: 'Waiting for the first readings.',
    empty: 'No points yet. Add a source to the configuration, and its readings appear here.',
    points(t: Tally): string {
      if (t.fresh + t.uncertain === t.total && t.uncertain === 0) return t.total === 1 ? 'The one point is fresh.' : `All ${t.total} points fresh.`;
      const rest = [
        t.stale && `${t.stale} stale`,
        t.bad && `${t.bad} bad`,
        t.uncertain && `${t.uncertain} uncertain`,
        t.unknown && `${t.unknown} without a reading`,
      ].filter(Boolean);
      return `${t.fresh} of ${t.total} points fresh, ${rest.join(', ')}.`;
    },
    alerts(total: number, unacknowledged: number, critical: number): string {
      if (total === 0) return 'No alerts.';
      const detail = [critical && `${critical} critical`, unacknowledged && `${unacknowledged} not acknowledged`].filter(Boolean);
      return `${plural(total, 'alert', 'alerts')}${detail.length ? ` (${detail.join(', ')})` : ', acknowledged'}.`;
    },
    alertsUnknown: 'Alerts cannot be read.',
    alertsNoneStored: 'No stored alerts.',
    sourcesDown: (names: string[]) => `${names.length === 1 ? 'Source' : 'Sources'} ${names.join(', ')} down.`,
    storeDown: 'The store has trouble.',
    storeDamaged: 'Stored data was damaged: the store below says what it cost.',
    alertsOnly: 'Readings are not being stored, so those below grow old; alerts still are.',
    nothingStored: (waiting: number) => waiting
      ? `Nothing is being stored, so the readings below grow old and ${plural(waiting, 'change of an alert waits', 'changes of alerts wait')} for the disk.`
      : 'Nothing is being stored: the readings below grow old, and an alert raised now waits for the disk.',
    upstreamNone: 'No upstream.',
    upstreamLive: 'Upstream up to date.',
    upstreamAlertsOnly: 'Upstream gets alerts and no readings.',
    upstreamStarved: 'Upstream gets nothing new.',
    upstreamBehind: (span: string) => `Upstream ${span} behind.`,
    upstreamDown: (span: string) => `Upstream cut off, ${span} waiting.`,
    upstreamDownEmpty: 'Upstream cut off, nothing waiting.',
  },

  channel: {
    title: 'The channel',
    sources: 'Sources',
    rules: 'Rules',
    store: 'Store',
    upstream: 'Upstream',
    perSecond: '/s',
    sourcesUp: (up: number, total: number) => (total === 0 ? 'none yet' : `${up} of ${total} up`),
    rulesActive: (active: number, instances: number) => (active ? `${active} of ${instances} active` : `${instances} watching`),
    noRules: 'no rules',
    storeUsed: (share: string) => `${share} full`,
    storeDown: 'trouble',
    alertsOnly: 'alerts only',
    nothingStored: (waiting: number) => (waiting ? `${plural(waiting, 'alert waits', 'alerts wait')}` : 'not storing'),
    upstreamStarved: 'gets nothing new',
    intakeFilling: (share: string) => `intake ${share} full`,
    upstreamNone: 'not set up',
    upToDate: 'up to date',
    behind: (span: string) => `${span} behind`,
    waiting: (span: string) => `${span} waiting`,
    gateOpen: 'gate open',
    gateHalf: 'gate half closed',
    gateClosed: 'gate closed',
    rulesUnit: (n: number) => (n === 1 ? 'rule' : 'rules'),
  },

  points: {
    title: 'Points',
    search: 'Find a point',
    filterLabel: 'Show',
    filter: { all: 'All', trouble: 'Not fresh', alert: 'In alert' } as Record<'all' | 'trouble' | 'alert', string>,
    none: 'No point matches. Clear the search or show all.',
    lastGood: (value: string, age: string) => `last ${value}, ${age}`,
    badge(f: Freshness, span: string): string {
      switch (f.kind) {
        case 'fresh': return span;
        case 'stale': return `Stale, ${span}`;
        case 'bad': return `Bad, ${span}`;
        case 'uncertain': return f.reason === 'retained' ? `Retained, ${span}` : `Uncertain, ${span}`;
        case 'unknown': return 'No reading yet';
      }
    },
    offlineBadge: (span: string) => `Last known, ${span}`,
  },

  reason: {
    '': 'No reason given',
    retained: 'Kept by the broker; old news until a fresh one comes',
    not_a_number: 'Not a number',
    no_answer: 'No answer',
    device_fault: 'Device fault',
    wrong_type: 'Wrong type of value',
    clock: 'Time not trusted',
  } as Record<Reason, string>,

  severity: { info: 'Info', warning: 'Warning', high: 'High', critical: 'Critical' } as Record<Severity, string>,
  phase: {
    normal: 'Normal',
    pending: 'About to alert again, not acknowledged',
    active: 'Active',
    clearing: 'Clearing',
    returned: 'Back to normal, not acknowledged',
  } as Record<Phase, string>,
  cause: {
    raised: 'Raised',
    cleared: 'Cleared',
    returned: 'Back to normal',
    acknowledged: 'Acknowledged',
    escalated: 'Escalated',
    eased: 'Eased',
    shelved: 'Shelved',
    unshelved: 'Unshelved',
    unsuppressed: 'No longer explained',
    'rule removed': 'Rule removed',
  } as Record<string, string>,

  alerts: {
    title: 'Alerts',
    none: 'No alerts. Rules are watching.',
    unknown: 'The gateway cannot read its alerts from the store. It tries again every second.',
    noneAlertsOnly: 'No alerts. Rules are watching, and an alert is stored, shown and sent even while readings cannot be.',
    noneStored: 'No stored alerts. Rules are watching, but nothing can be stored: an alert raised now is shown and sent once it is on the disk.',
    waiting: (n: number) => n === 1 ? 'A change of an alert waits for the disk. It is shown and sent once it is stored.'
      : `${n} changes of alerts wait for the disk. They are shown and sent once they are stored.`,
    noneNoRules: 'No alerts, and no rules that could raise one. Add rules to the configuration.',
    pendingTitle: 'About to alert',
    pending: 'About to alert',
    pendingFor: (span: string) => `for ${span}`,
    since: (time: string, span: string) => `since ${time} (${span})`,
    valueLimit: (value: string, limit: string) => `${value}, limit ${limit}`,
    acknowledge: 'Acknowledge',
    acknowledgeOf: (message: string) => `Acknowledge: ${message}`,
    acknowledged: (who: string, note: string) => `Acknowledged${who ? ` by ${who}` : ''}${note ? `: “${note}”` : ''}`,
    who: 'Your name',
    note: 'Note (optional)',
    send: 'Acknowledge',
    cancel: 'Cancel',
    sending: 'Acknowledging',
    silentTitle: 'Silenced',
    silentHelp: 'Nobody is called for these, whatever they do.',
    shelve: 'Shelve',
    shelveOf: (message: string) => `Shelve: ${message}`,
    shelveFor: 'For how long',
    shelfSpans: [['15 min', '15m'], ['1 h', '1h'], ['8 h', '8h'], ['1 d', '1d']] as [string, string][],
    outOfService: 'Out of service',
    shelveWhy: 'Why',
    shelving: 'Shelving',
    unshelve: 'Unshelve',
    unshelveOf: (message: string) => `Unshelve: ${message}`,
    shelved: (who: string, until: string, why: string) => `Shelved${who ? ` by ${who}` : ''} until ${until}: ${why}`,
    outOfServiceBy: (who: string, why: string) => `Taken out of service${who ? ` by ${who}` : ''}: ${why}`,
    explained: (by: string) => `Explained by ${by}`,
    onTrial: 'Its rule is on trial',
    chatters: (times: number, band: string) => `Chattering: raised ${times} times${band ? `; a dead band of ${band} would keep it quiet` : ''}`,
    why: 'Why',
    infinite: 'beyond any number',
    read: 'was read as well',
    lookedAt: 'Time looked at',
    ruleVersion: 'Version of the rule',
    snapshot: (time: string, samples: number) => `Snapshot of ${time}: ${plural(samples, 'sample', 'samples')}`,
    chart: 'Chart',
    runbook: 'What to do: ',
    announceRaised: (severity: string, message: string) => `${severity} alert: ${message}`,
    announceGone: (message: string) => `Alert over: ${message}`,
    announceAck: (message: string) => `Alert acknowledged: ${message}`,
  },

  flood: {
    now: (count: number, span: string, first: string) => `Flood: ${plural(count, 'new alert', 'new alerts')} in ${span}. It began with: ${first}`,
    first: 'First of the flood',
    began: (count: number) => `Flood of alerts: ${count} within ten minutes`,
    over: (count: number) => `The flood of ${count} alerts is over`,
    beganWith: (first: string) => `It began with ${first}`,
  },

  log: {
    title: 'Recent events',
    none: 'No event is on record yet.',
    by: (what: string, who: string) => (who ? `${what} by ${who}` : what),
    to: (what: string, severity: string) => `${what} to ${severity}`,
    until: (what: string, time: string) => `${what} until ${time}`,
    published: (to: string, topic: string, payload: string) => `published to ${to}: ${topic} “${payload}”`,
    more: (n: number) => `Show ${n} more`,
    gap: {
      retention: 'Some events are older than what the gateway keeps; the list was loaded afresh.',
      damaged: 'A part of the gateway’s journal is damaged and cannot be read; the list was loaded afresh.',
      limit: 'Too much has happened meanwhile to tell it one by one; the list was loaded afresh.',
      epoch: 'The gateway has a new journal; the list was loaded afresh.',
      id: 'The gateway’s journal ends before what this page had heard; the list was loaded afresh.',
    } as Record<GapCause, string>,
  },

  chart: {
    ranges: [['5 min', 5], ['15 min', 15], ['1 h', 60], ['6 h', 360], ['24 h', 1440]] as [string, number][],
    rangeLabel: 'Range',
    lastSpan: (span: string) => `Last ${span}`,
    between: (from: string, to: string) => `${from} to ${to}`,
    close: 'Close the chart',
    table: 'Table',
    graph: 'Graph',
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    earlier: 'Earlier',
    later: 'Later',
    follow: 'Follow live',
    loading: 'Loading history',
    empty: 'No samples in this range.',
    limit: (limit: string) => `limit ${limit}`,
    keys: 'Arrow keys move the cursor, + and − zoom, 0 follows live, Escape closes.',
    summary: (range: string, low: string, high: string, mean: string, last: string, gaps: number, bad: number) =>
      `${range}: lowest ${low}, highest ${high}, average ${mean}, latest ${last}` +
      `${gaps ? `; ${plural(gaps, 'gap', 'gaps')} without data` : ''}${bad ? `; ${plural(bad, 'failed read', 'failed reads')}` : ''}.`,
    summaryStates: (range: string, last: string, changes: number) => `${range}: now ${last}, ${plural(changes, 'change', 'changes')}.`,
    at: (time: string, value: string, low: string, high: string) => (low === high ? `${time}  ${value}` : `${time}  ${value}  (${low} to ${high})`),
    noData: (time: string) => `${time}  no data`,
    columns: ['Time', 'Lowest', 'Highest', 'Average', 'Last', 'Samples', 'Failed reads'],
  },

  health: { starting: 'Starting', up: 'Up', degraded: 'Degraded', down: 'Down', stopped: 'Stopped' } as Record<Health, string>,

  details: {
    sources: 'Sources',
    sourcesNone: 'No sources are configured. Add one under “sources:” in tidegate.yaml.',
    sourceLine: (series: number, rate: string) => `${plural(series, 'point', 'points')}, ${rate} samples/s`,
    sourceSince: (span: string) => `for ${span}`,
    rejected: (n: string) => `${n} messages refused`,
    rules: 'Rules',
    rulesNone: 'No rules are configured. Add one under “rules:” in tidegate.yaml.',
    ruleLine: (instances: number) => `watches ${plural(instances, 'point', 'points')}`,
    ruleActive: (n: number) => `${n} active`,
    ruleCannotWatch: (problem: string) => `Cannot watch ${problem}`,
    ruleCannotWatchMore: (n: string) => `… and ${n} more`,
    store: 'Store',
    upstream: 'Upstream',
    upstreamNone: 'No upstream is configured: readings stay on this gateway. Add one under “uplinks:” in tidegate.yaml.',
    stored: 'Stored',
    delivered: 'Delivered',
    samplesPerSecond: (rate: string) => `${rate} samples/s`,
    commit: 'Commit time',
    commitTimes: (p50: string, p99: string) => `${p50} ms typical, ${p99} ms slowest 1 %`,
    queue: 'Intake queue',
    queueFill: (depth: string, capacity: string) => `${depth} of ${capacity}`,
    dropped: 'Dropped',
    droppedNone: 'none since the start',
    droppedSome: (n: string) => `${n} samples since the start`,
    disk: 'Disk',
    diskFill: (used: string, max: string) => `${used} of ${max}`,
    wear: 'Written',
    wearUnknown: 'not measured yet',
    wearFigures: (sample: string, day: string, years: string) => `${sample} B a sample, ${day} a day: the card lasts ${years} years`,
    keeps: 'Reaches back',
    backlog: 'Backlog',
    backlogNone: 'none',
    uplinkAlertsOnly: 'The store takes no readings, so only alerts reach the upstream.',
    uplinkStarved: 'The store takes nothing, so nothing new reaches the upstream.',
    backlogBatches: (n: string, span: string) => `${n} batches, oldest ${span}`,
    drain: 'Time to drain',
    drainNever: 'not draining',
    lastAck: 'Last receipt',
    lost: 'Lost',
    lostNone: 'none',
    lostSome: (n: string) => `${n} batches: too old, damaged or refused`,
  },

  letters: {
    title: 'Refused messages',
    none: 'None. Every message was taken.',
    help: 'These could not be read, were over a limit, or were not taken upstream. They are kept here so that nothing is lost silently.',
    facts: (source: string, times: number, topics: number, last: string) =>
      `${source} · ${plural(times, 'message', 'messages')} on ${plural(topics, 'topic', 'topics')} · last ${last}`,
    times: (n: number) => `${n} times`,
  },

  footer: (version: string, span: string) => `Tidegate ${version}, running for ${span}`,
};
