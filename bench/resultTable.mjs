/** What a measured case says: its ratios and rate, the promises it missed, and the table of all. */

/** Contracts from which promises about time hold: below, the start of the process is most of it. */
const TIME_COUNTS_FROM = 400_000;

/**
 * @param {import('./case.d.mts').Case} bench
 * @param {import('./case.d.mts').Measured} own
 * @param {ReadonlyMap<string, import('./case.d.mts').Measured>} others by the names in `against`
 * @param {number} count
 * @returns {import('./case.d.mts').Result}
 */
export function judge(bench, own, others, count) {
  const ratios = {};
  const cpuRatios = {};
  for (const [name, other] of others) {
    ratios[name] = own.wallSeconds / other.wallSeconds;
    if (own.cpuSeconds !== undefined && other.cpuSeconds > 0)
      cpuRatios[name] = own.cpuSeconds / other.cpuSeconds;
  }
  const perSecond = bench.noRate ? undefined : count / own.wallSeconds;
  const missed = [];
  const reached = bench.target === undefined ? undefined : ratios[bench.target.against];
  if (count >= TIME_COUNTS_FROM) {
    if (reached !== undefined && reached > bench.target.ratio) missed.push('time');
    if (bench.minPerSecond !== undefined && perSecond < bench.minPerSecond) missed.push('rate');
  }
  if (bench.maxRssMb !== undefined && own.peakRssMb > bench.maxRssMb) missed.push('memory');
  const { target, minPerSecond, maxRssMb } = bench;
  return { ...own, perSecond, ratios, cpuRatios, target, minPerSecond, maxRssMb, missed };
}

const number = (n, digits) => (n === undefined ? '-' : n.toFixed(digits));
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ' ');
const cell = (text) => text.replaceAll('|', '\\|');
const measures = (r) =>
  `${number(r.wallSeconds, 2)} | ${number(r.cpuSeconds, 2)} | ${number(r.peakRssMb, 0)}`;

function ratioText({ ratios, cpuRatios }) {
  return Object.entries(ratios)
    .map(([name, ratio]) => {
      const cpu = cpuRatios[name] === undefined ? '' : ` (${cpuRatios[name].toFixed(2)})`;
      return `${ratio.toFixed(2)}${cpu} × ${cell(name)}`;
    })
    .join(', ');
}

function promiseText({ target, minPerSecond, maxRssMb, missed }) {
  const promises = [];
  if (target !== undefined) promises.push(`≤ ${target.ratio} × ${cell(target.against)}`);
  if (minPerSecond !== undefined) promises.push(`≥ ${grouped(minPerSecond)}/s`);
  if (maxRssMb !== undefined) promises.push(`≤ ${maxRssMb} MB`);
  if (promises.length === 0) return '';
  return `${promises.join(', ')}${missed.length > 0 ? ` **missed: ${missed.join(', ')}**` : ' kept'}`;
}

/**
 * One size as Markdown.
 * @param {import('./case.d.mts').SizeResults} size
 */
export function resultTable({ count, results, rivals, skipped }) {
  const lines = [
    `### ${grouped(count)} contracts`,
    '',
    '| case | wall s | cpu s | peak MB | contracts/s | ratio of wall (of processor time) | promised |',
    '| --- | ---: | ---: | ---: | ---: | --- | --- |',
  ];
  for (const r of results) {
    const rate = r.perSecond === undefined ? '' : grouped(Math.round(r.perSecond / 100) * 100);
    lines.push(`| ${r.name} | ${measures(r)} | ${rate} | ${ratioText(r)} | ${promiseText(r)} |`);
  }
  for (const r of rivals) lines.push(`| _${cell(r.name)}_ | ${measures(r)} | | | |`);
  for (const { name, why } of skipped) lines.push('', `Skipped: ${name} (${why}).`);
  return lines.join('\n');
}
