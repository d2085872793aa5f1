/**
 * Which parts of a damaged gzip file can be inflated: whole members, what lies before damage, and what begins at a full
 * flush behind it (the deflate state is reset there; the bytes before such a border are `00 00 ff ff`).
 */
import { crc32 } from 'node:zlib';
import type { ByteSource } from './byteSource.js';
import { type DeflateRun, runDeflate, surveyDeflate } from './deflateRun.js';
import { frameRecovery, type Trust } from './frameRecovery.js';

/** One stretch of deflate data that can be inflated from its start. */
export interface Stretch {
  /** Range of deflate bytes in the file; `end` is behind the last byte used, or the damaged byte. */
  start: number;
  end: number;
  outcome: DeflateRun['outcome'];
  inflatedBytes: number;
  /** True when the inflated bytes begin with a record. */
  inStep: boolean;
  trust: Trust;
  /** True for a stretch that begins a second or later member. */
  laterMember: boolean;
  /** True when its bytes continue those of the stretch before without a gap. */
  continues: boolean;
}

/** What is wrong with the container, in the order of the file. */
export interface GzipDamage {
  code: string;
  message: string;
  byteOffset: number;
}

/** Bytes of the file that cannot be inflated. */
export interface LostRange {
  start: number;
  end: number;
  /** How much they held, when a manifest says so. */
  inflatedBytes: number | undefined;
}

export interface GzipSurvey {
  stretches: Stretch[];
  damage: GzipDamage[];
  lost: LostRange[];
  members: number;
  /** True when the data goes on behind the end of the file. */
  cutOff: boolean;
  /** True when a checksum of the file contradicts its content. */
  contradicted: boolean;
}

const BORDER = Buffer.from('0000ffff', 'hex');
const MEMBER = Buffer.from('1f8b08', 'hex');
/** Of the header that exports have: no name, no extra field. */
const HEADER_BYTES = 10;
const SCAN_BYTES = 1 << 20;
/** Inflated bytes looked at to see whether a stretch holds records. */
const PROOF_BYTES = 8 << 20;
/** Bytes that may be inflated in vain while searching, beyond a multiple of the file's size. */
const SEARCH_GRACE = 64 << 20;

/** Bytes that may still be inflated in vain. */
interface Budget {
  left: number;
}

export interface SurveyLimits {
  maxRecordBytes: number;
  /** Called with the inflated bytes found so far; throws when there are too many. */
  guard(inflatedBytes: number): void;
}

export async function surveyGzip(source: ByteSource, limits: SurveyLimits): Promise<GzipSurvey> {
  const survey: GzipSurvey = {
    stretches: [],
    damage: [],
    lost: [],
    members: 0,
    cutOff: false,
    contradicted: false,
  };
  const budget: Budget = { left: SEARCH_GRACE + 4 * source.size };
  let position = 0;
  while (position < source.size) {
    const header = await memberHeader(source, position);
    if (header !== undefined) {
      survey.members++;
      position = await surveyMember(source, survey, header, limits);
      continue;
    }
    const from = position;
    if (from === 0) survey.damage.push(badHeader(await source.read(0, 4)));
    const next = await nextStretch(source, from, limits.maxRecordBytes, budget);
    // The data right behind a damaged header of the usual length: nothing is lost.
    const wholeBody = from === 0 && next?.at === HEADER_BYTES;
    if (!wholeBody) await noteUnreadable(source, survey, from, next?.at ?? source.size);
    if (next === undefined) break;
    if (next.kind === 'member') {
      position = next.at;
      continue;
    }
    if (wholeBody) survey.members++;
    position = await surveyStretch(source, survey, limits, {
      start: next.at,
      inStep: wholeBody,
      resumed: !wholeBody,
    });
  }
  if (showsDamage(survey)) distrust(survey);
  return survey;
}

/** True when the container itself shows damage, other than an end that is missing. */
export function showsDamage(survey: GzipSurvey): boolean {
  return survey.contradicted || survey.damage.some((damage) => damage.code !== 'GZIP_TRUNCATED');
}

/** Once one place is known to be damaged, bytes that no checksum speaks for may be altered elsewhere too. */
export function distrust(survey: GzipSurvey): void {
  for (const stretch of survey.stretches) if (stretch.trust === 'unchecked') stretch.trust = 'suspect';
}

/** Reads a member from its deflate data on; returns the offset behind it or of the damage. */
async function surveyMember(
  source: ByteSource,
  survey: GzipSurvey,
  header: { start: number; bodyStart: number },
  limits: SurveyLimits,
): Promise<number> {
  if (header.bodyStart > source.size) {
    survey.cutOff = true;
    survey.damage.push({
      code: 'GZIP_TRUNCATED',
      message: 'the file ends inside the gzip header',
      byteOffset: source.size,
    });
    return source.size;
  }
  return surveyStretch(source, survey, limits, { start: header.bodyStart, inStep: true, resumed: false });
}

async function surveyStretch(
  source: ByteSource,
  survey: GzipSurvey,
  limits: SurveyLimits,
  at: { start: number; inStep: boolean; resumed: boolean },
): Promise<number> {
  let crc = 0;
  let inflated = survey.stretches.reduce((sum, stretch) => sum + stretch.inflatedBytes, 0);
  const before = survey.stretches.at(-1);
  const run = await surveyDeflate(source, { start: at.start, limit: source.size }, (bytes) => {
    crc = crc32(bytes, crc);
    inflated += bytes.length;
    limits.guard(inflated);
  });
  const stretch: Stretch = {
    start: at.start,
    end: run.end,
    outcome: run.outcome,
    inflatedBytes: run.inflatedBytes,
    inStep: at.inStep,
    trust: 'unchecked',
    laterMember: before !== undefined && !at.resumed,
    continues:
      before?.outcome === 'end' && !at.resumed && survey.lost.every((range) => range.end <= before.start),
  };
  survey.stretches.push(stretch);
  if (run.outcome === 'damaged') {
    survey.contradicted = true;
    survey.damage.push({
      code: 'GZIP_DAMAGED',
      message: `the compressed data is damaged (${run.message ?? 'unknown'})`,
      byteOffset: run.end,
    });
    return run.end;
  }
  if (run.outcome === 'cut') {
    survey.cutOff = true;
    survey.damage.push({
      code: 'GZIP_TRUNCATED',
      message: 'the file ends inside the compressed data',
      byteOffset: source.size,
    });
    return source.size;
  }
  const trailer = await source.read(run.end, 8);
  if (trailer.length < 8) {
    survey.damage.push({
      code: 'GZIP_TRUNCATED',
      message: 'the file ends inside the gzip trailer; all compressed data is there',
      byteOffset: source.size,
    });
    return source.size;
  }
  // A stretch that begins in the middle of a member cannot be checked against the member's trailer.
  if (!at.resumed) {
    const badCrc = trailer.readUInt32LE(0) !== crc;
    // A matching checksum proves the content even when the length field is wrong.
    stretch.trust = badCrc ? 'suspect' : 'checked';
    if (badCrc) survey.contradicted = true;
    if (badCrc || trailer.readUInt32LE(4) !== run.inflatedBytes % 2 ** 32) {
      survey.damage.push({
        code: badCrc ? 'GZIP_BAD_CRC' : 'GZIP_BAD_LENGTH',
        message: `the ${badCrc ? 'checksum' : 'length'} in the gzip trailer is wrong`,
        byteOffset: badCrc ? run.end : run.end + 4,
      });
    }
  }
  return run.end + 8;
}

async function memberHeader(
  source: ByteSource,
  start: number,
): Promise<{ start: number; bodyStart: number } | undefined> {
  const head = await source.read(start, 10);
  if (head.length < 3 || !head.subarray(0, 3).equals(MEMBER)) return undefined;
  if (head.length >= 4 && (head[3] & 0xe0) !== 0) return undefined;
  let at = start + 10;
  const flags = head.length >= 4 ? head[3] : 0;
  if (flags & 4) {
    const size = await source.read(at, 2);
    at += 2 + (size.length === 2 ? size.readUInt16LE(0) : 0);
  }
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const text = await source.read(at, 64 * 1024);
    const zero = text.indexOf(0);
    if (zero < 0) return { start, bodyStart: source.size + 1 };
    at += zero + 1;
  }
  if (flags & 2) at += 2;
  return { start, bodyStart: at };
}

type Found = { kind: 'member' | 'border'; at: number };

/** The next place from which records can be inflated: a member header, or the byte behind a full-flush mark. */
async function nextStretch(
  source: ByteSource,
  from: number,
  maxRecordBytes: number,
  budget: Budget,
): Promise<Found | undefined> {
  // A damaged header at the very beginning: the data begins behind the usual ten bytes.
  if (from === 0 && (await holdsRecords(source, 10, maxRecordBytes, budget)))
    return { kind: 'border', at: 10 };
  const overlap = BORDER.length - 1;
  for (let at = from; at < source.size; at += SCAN_BYTES) {
    const bytes = await source.read(at, SCAN_BYTES + overlap);
    let cursor = 0;
    for (;;) {
      const border = bytes.indexOf(BORDER, cursor);
      const member = bytes.indexOf(MEMBER, cursor);
      if (border < 0 && member < 0) break;
      if (budget.left <= 0) return undefined;
      if (member >= 0 && (border < 0 || member < border)) {
        cursor = member + 1;
        const header = await memberHeader(source, at + member);
        if (header === undefined || header.bodyStart > source.size) continue;
        if (await holdsRecords(source, header.bodyStart, maxRecordBytes, budget)) {
          return { kind: 'member', at: at + member };
        }
        continue;
      }
      cursor = border + 1;
      const start = at + border + BORDER.length;
      if (await holdsRecords(source, start, maxRecordBytes, budget)) return { kind: 'border', at: start };
    }
  }
  return undefined;
}

/** True when the bytes from `start` on inflate to at least one proven record. */
async function holdsRecords(
  source: ByteSource,
  start: number,
  maxRecordBytes: number,
  budget: Budget,
): Promise<boolean> {
  let proven = false;
  let inflated = 0;
  const frames = frameRecovery({
    maxRecordBytes,
    keep: () => {
      proven = true;
    },
    lost: () => undefined,
  });
  frames.begin(false, 'suspect');
  const run = await runDeflate(source, { start, limit: source.size }, (bytes) => {
    inflated += bytes.length;
    frames.push(bytes);
    return !proven && inflated < PROOF_BYTES;
  });
  if (!proven) frames.end(true);
  budget.left -= inflated + (run.end - start) + 1024;
  return proven;
}

async function noteUnreadable(
  source: ByteSource,
  survey: GzipSurvey,
  start: number,
  end: number,
): Promise<void> {
  if (end <= start) return;
  const last = survey.stretches.at(-1);
  const behindMember = last !== undefined && last.outcome === 'end';
  if (behindMember && end === source.size) {
    const zeros = await allZero(source, start, end);
    survey.damage.push({
      code: zeros ? 'GZIP_ZERO_PADDING' : 'GZIP_TRAILING_BYTES',
      message: `${end - start} bytes behind the last gzip member`,
      byteOffset: start,
    });
    // An end that no checksum proves may be a few damaged bytes that look like one, in the middle of the data.
    if (zeros || last.trust === 'checked') return;
  }
  survey.lost.push({ start, end, inflatedBytes: undefined });
}

async function allZero(source: ByteSource, start: number, end: number): Promise<boolean> {
  for (let at = start; at < end; at += SCAN_BYTES) {
    const bytes = await source.read(at, Math.min(SCAN_BYTES, end - at));
    if (bytes.some((b) => b !== 0)) return false;
  }
  return true;
}

export function badHeader(found: Buffer): GzipDamage {
  return {
    code: 'GZIP_BAD_HEADER',
    message: `the file does not begin as gzip does (${found.toString('hex')})`,
    byteOffset: 0,
  };
}
