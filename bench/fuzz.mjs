#!/usr/bin/env node
/**
 * Fuzzing: mutated frames, records, blobs, values, gzip files and manifests against every decoder. An input passes when
 * it is decoded or refused with an AcsError of a known code; anything else is a crash. A watchdog in another thread
 * notices hangs, and memory is watched. Every input follows from the seed and its number alone.
 *
 *   node bench/fuzz.mjs                          1 000 000 inputs, seed 1
 *   node bench/fuzz.mjs --seconds 20 --seed 7    as many as fit
 *   node bench/fuzz.mjs --only 123456            one input again, with its bytes
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { BlobView } from '../dist/contract/blob.js';
import { contentDigest } from '../dist/contract/contentDigest.js';
import { decodeBlob, encodeBlob } from '../dist/contract/contractInstance.js';
import { ContractView } from '../dist/contract/contractView.js';
import { eventComparer } from '../dist/contract/eventAgainstBlob.js';
import { parseManifest } from '../dist/contract/manifest.js';
import { soundRecords } from '../dist/contract/usual/soundRecords.js';
import { checkValue } from '../dist/contract/valueCheck.js';
import { decodeValue } from '../dist/contract/valueDecoder.js';
import { encodeValue } from '../dist/contract/valueEncoder.js';
import { infoTally } from '../dist/inspect/infoTally.js';
import { recordChecker } from '../dist/inspect/recordChecker.js';
import { AcsError } from '../dist/io/error.js';
import { frameRecovery } from '../dist/recover/frameRecovery.js';
import { recoverRecords } from '../dist/recover/recover.js';
import { compileConditions } from '../dist/reshape/conditions.js';
import { detectInflated, detectStored } from '../dist/snapshot/format.js';
import { RecordView } from '../dist/snapshot/record.js';
import { scanSnapshot } from '../dist/snapshot/scan.js';
import { frameSplitter } from '../dist/wire/frames.js';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
/** Processor time one input may take; on a busy machine the wall clock says nothing, so it only catches waiting for ever. */
const HANG_CPU_MS = 10_000;
const HANG_WALL_MS = 180_000;
const MAX_RSS_BYTES = 600e6;

/** Processor time of all threads of this process. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** sfc32 over (seed, number). */
function randomOf(seed, number) {
  let a = seed | 0;
  let b = number | 0;
  let c = 0x9e3779b9;
  let d = 1;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return { next, below: (n) => (n <= 0 ? 0 : next() % n) };
}

/** Sound inputs to start from. */
function loadSeeds() {
  const files = [];
  for (const folder of ['snapshots', 'live']) {
    for (const name of readdirSync(`${FIXTURES}/${folder}`).sort()) {
      if (name.endsWith('.acs.gz')) files.push(readFileSync(`${FIXTURES}/${folder}/${name}`));
    }
  }
  const frames = [];
  const blobs = [];
  const values = [];
  const records = new RecordView();
  for (const file of files) {
    const splitter = frameSplitter();
    splitter.push(gunzipSync(file), (buf, start, bodyStart, end, offset) => {
      if (frames.length >= 400) return;
      const frame = Buffer.from(buf.subarray(start, end));
      frames.push(frame);
      records.parse(frame, 0, bodyStart - start, frame.length, offset, 0);
      if (records.inFlight) return;
      const blob = Buffer.from(records.createdEventBlob);
      blobs.push(blob);
      values.push(Buffer.from(decodeBlob(blob).createArgument));
    });
  }
  const streams = [];
  for (let i = 0; i + 3 <= frames.length && streams.length < 60; i += 3) {
    streams.push(Buffer.concat(frames.slice(i, i + 3)));
  }
  const small = files.filter((file) => file.length < 8000);
  const manifest = Buffer.from(
    JSON.stringify({
      format: 'acskit-manifest/1',
      tool: 'acskit 0.1.0',
      file: 'a.acs.gz',
      compressed: { bytes: 100, sha256: '00' },
      inflated: { bytes: 1000, sha256: '00', crc32: 1 },
      contracts: 1,
      inFlight: 0,
      contentDigest: '00',
      byTemplate: {},
      bySynchronizer: {},
      pieces: [{ at: 10, compressedBytes: 80, inflatedBytes: 1000, crc32: 1 }],
    }),
  );
  return { frames, blobs, values, streams, files: small, manifests: [manifest] };
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x10, 0x1e, 0x12, 0x1a, 0x3a, 0x6a, 0x5a, 0x52, 0x22];
const INTERESTING_RUNS = [
  'ffffffffffffffffff01',
  'ffffffff07',
  '8080808004',
  'ffffffffffffffffffffff',
  '0a00101e',
  '040a00101e',
  '0000ffff',
  '1f8b08000000000000ff',
  'eda080',
  'c080',
  'f09f9880',
].map((hex) => Buffer.from(hex, 'hex'));

function mutate(input, pool, random) {
  let bytes = Buffer.from(input);
  const times = 1 + random.below(4);
  for (let i = 0; i < times; i++) {
    const at = random.below(bytes.length + 1);
    switch (random.below(10)) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << random.below(8);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = INTERESTING[random.below(INTERESTING.length)];
        break;
      case 2:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 3:
        bytes = bytes.subarray(0, at);
        break;
      case 4: {
        const to = Math.min(bytes.length, at + 1 + random.below(40));
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      }
      case 5: {
        const to = Math.min(bytes.length, at + 1 + random.below(200));
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      }
      case 6: {
        const run = INTERESTING_RUNS[random.below(INTERESTING_RUNS.length)];
        bytes = Buffer.concat([bytes.subarray(0, at), run, bytes.subarray(at)]);
        break;
      }
      case 7: {
        const run = INTERESTING_RUNS[random.below(INTERESTING_RUNS.length)];
        bytes = Buffer.concat([bytes.subarray(0, at), run, bytes.subarray(at + run.length)]);
        break;
      }
      case 8: {
        const other = pool[random.below(pool.length)];
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length))]);
        break;
      }
      default:
        // A length byte made one smaller or larger: the classic off-by-one.
        if (at < bytes.length) bytes[at] = (bytes[at] + (random.below(2) === 0 ? 1 : 255)) & 0xff;
    }
    if (bytes.length > 1 << 16) bytes = bytes.subarray(0, 1 << 16);
  }
  return bytes;
}

const refused = (action) => {
  try {
    return { value: action() };
  } catch (error) {
    if (!(error instanceof AcsError) || error.code === 'INTERNAL') throw error;
    return { error };
  }
};

const assert = (condition, what) => {
  if (!condition) throw new Error(`broken promise: ${what}`);
};

/** Reads everything a record offers. */
function readRecord(record, contract, compare, digest) {
  refused(() => record.synchronizerId);
  refused(() => record.reassignmentCounter);
  if (record.inFlight) return;
  digest.add(record);
  contract.of(record);
  for (const get of [
    () => record.contractId,
    () => record.templateId,
    () => record.packageName,
    () => record.representativePackageId,
    () => record.createdAtMicros,
    () => record.witnessParties,
    () => record.signatories,
    () => record.observers,
    () => record.ledgerOffset,
    () => record.nodeId,
    () => contract.contractId,
    () => contract.templateId,
    () => contract.signatories,
    () => contract.observers,
    () => contract.createdAt,
    () => compare(contract),
  ]) {
    refused(get);
  }
}

function makeTargets() {
  const record = new RecordView();
  const contract = new ContractView();
  const compare = eventComparer();
  const blobView = new BlobView();
  const conditions = compileConditions({
    parties: ['alice'],
    templates: ['acme-*:*:I*'],
    synchronizers: ['acme'],
    createdFrom: 0n,
    counterTo: 3n,
  });

  const sound = soundRecords();
  const tally = infoTally(3);
  let found = [];
  const find = (finding) => found.push(finding);
  const checkerOfPassed = recordChecker(find, () => undefined, soundRecords(), {});
  const checkerOfOthers = recordChecker(find, () => undefined, sound, {});

  const split = (bytes, chunkBytes) => {
    const seen = [];
    const outcome = refused(() => {
      const splitter = frameSplitter(1 << 20);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        splitter.push(bytes.subarray(at, at + chunkBytes), (_buf, start, _body, end, offset) => {
          seen.push(`${offset}+${end - start}`);
        });
      }
      splitter.finish();
    });
    return `${seen.join(' ')} ${outcome.error?.code ?? 'ok'} ${outcome.error?.place.byteOffset ?? ''}`;
  };

  return [
    {
      name: 'frames',
      weight: 18,
      pool: 'streams',
      run(bytes, random) {
        assert(
          split(bytes, bytes.length + 1) === split(bytes, 1 + random.below(64)),
          'frames do not depend on chunks',
        );
        detectInflated(bytes, random.below(2) === 0);
        detectStored(bytes);
      },
    },
    {
      name: 'records',
      weight: 20,
      pool: 'frames',
      run(bytes) {
        const digest = contentDigest();
        refused(() => {
          frameSplitter(1 << 20).push(bytes, (buf, start, bodyStart, end, offset) => {
            record.parse(buf, start, bodyStart, end, offset, 0);
            readRecord(record, contract, compare, digest);
            if (!record.inFlight) refused(() => conditions.keeps(record));
          });
        });
      },
    },
    {
      name: 'passing',
      weight: 20,
      pool: 'frames',
      run(bytes) {
        refused(() => {
          frameSplitter(1 << 20).push(bytes, (buf, start, bodyStart, end, offset) => {
            const frame = Buffer.from(buf.subarray(start, end));
            const look = (checker) => {
              found = [];
              checker.visit(record.parse(frame, 0, bodyStart - start, frame.length, offset, 0));
            };
            sound.hold(frame);
            if (sound.pass(0, frame.length) === frame.length) {
              look(checkerOfPassed);
              assert(found.length === 0, 'in a record that passes there is nothing to be found');
            } else look(checkerOfOthers);
            tally.hold(frame);
            if (tally.pass(frame, 0, frame.length) === 0 && !record.inFlight) tally.add(record);
          });
        });
      },
    },
    {
      name: 'blobs',
      weight: 22,
      pool: 'blobs',
      run(bytes) {
        const viewed = refused(() => blobView.parse(bytes));
        const decoded = refused(() => decodeBlob(bytes));
        if (viewed.error === undefined && decoded.error === undefined) {
          const once = encodeBlob(decoded.value);
          assert(encodeBlob(decodeBlob(once)).equals(once), 'a re-encoded blob is canonical');
        }
      },
    },
    {
      name: 'values',
      weight: 24,
      pool: 'values',
      run(bytes) {
        const decoded = refused(() => decodeValue(bytes));
        const checked = refused(() => checkValue(bytes, 0, bytes.length));
        assert(
          (decoded.error === undefined) === (checked.error === undefined),
          'checking and decoding a value agree',
        );
        if (decoded.error === undefined) {
          const once = encodeValue(decoded.value);
          assert(encodeValue(decodeValue(once)).equals(once), 'a re-encoded value is canonical');
        }
      },
    },
    {
      name: 'frame recovery',
      weight: 10,
      pool: 'streams',
      run(bytes, random) {
        let kept = 0;
        let lost = 0;
        const frames = frameRecovery({
          maxRecordBytes: 1 << 20,
          keep: (r) => {
            kept += r.end - r.start;
          },
          lost: (loss) => {
            lost += loss.bytes;
          },
        });
        frames.begin(random.below(2) === 0, ['checked', 'unchecked', 'suspect'][random.below(3)]);
        const chunk = 1 + random.below(3000);
        for (let at = 0; at < bytes.length; at += chunk) frames.push(bytes.subarray(at, at + chunk));
        frames.end(random.below(2) === 0);
        assert(
          kept + lost === bytes.length,
          `every byte is kept or lost (${kept} + ${lost} of ${bytes.length})`,
        );
      },
    },
    {
      name: 'manifests',
      weight: 2,
      pool: 'manifests',
      run(bytes) {
        refused(() => parseManifest(bytes.toString('utf8'), 'manifest'));
      },
    },
    {
      name: 'gzip, scanned',
      weight: 3,
      pool: 'files',
      async run(bytes, random) {
        const members = ['refuse', 'first', 'all'][random.below(3)];
        await refusedLater(() =>
          scanSnapshot(wrap(bytes, random), () => undefined, { members, maxRecordBytes: 1 << 20 }),
        );
      },
    },
    {
      name: 'gzip, recovered',
      weight: 1,
      pool: 'files',
      async run(bytes, random) {
        await refusedLater(() =>
          recoverRecords(wrap(bytes, random), () => undefined, { maxRecordBytes: 1 << 20 }),
        );
      },
    },
  ];
}

/** The mutated bytes as a file, or as the content of a sound gzip file or of an unfinished one. */
function wrap(bytes, random) {
  switch (random.below(4)) {
    case 0:
      return gzipSync(bytes, { level: 1 });
    case 1:
      return Buffer.concat([Buffer.from('1f8b08000000000000ff', 'hex'), deflateRawSync(bytes, { level: 1 })]);
    default:
      return bytes;
  }
}

async function refusedLater(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof AcsError) || error.code === 'INTERNAL') throw error;
  }
}

function inputOf(seeds, targets, seed, number) {
  const random = randomOf(seed, number);
  const total = targets.reduce((sum, target) => sum + target.weight, 0);
  let pick = random.below(total);
  const target = targets.find((t) => {
    pick -= t.weight;
    return pick < 0;
  });
  const pool = seeds[target.pool];
  const bytes = mutate(pool[random.below(pool.length)], pool, random);
  return { target, bytes, random };
}

async function work({ seed, from, to, seconds, shared }) {
  const seeds = loadSeeds();
  const targets = makeTargets();
  const progress = new Int32Array(shared);
  const counts = {};
  const failures = [];
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1000;
  let number = from;
  for (; number < to && failures.length < 20; number++) {
    if ((number & 63) === 0 && Date.now() > until) break;
    Atomics.store(progress, 0, number);
    const { target, bytes, random } = inputOf(seeds, targets, seed, number);
    counts[target.name] = (counts[target.name] ?? 0) + 1;
    try {
      await target.run(bytes, random);
    } catch (error) {
      failures.push({ number, target: target.name, error: error?.stack ?? String(error) });
    }
  }
  return { inputs: number - from, counts, failures };
}

async function main() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      inputs: { type: 'string', default: '1000000' },
      seconds: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  if (values.only !== undefined) {
    const number = Number(values.only);
    const { target, bytes, random } = inputOf(loadSeeds(), makeTargets(), seed, number);
    process.stdout.write(`${target.name}\n${bytes.toString('hex')}\n`);
    await target.run(bytes, random);
    process.stdout.write('passes\n');
    return 0;
  }
  const shared = new SharedArrayBuffer(4);
  const progress = new Int32Array(shared);
  const started = Date.now();
  const worker = new Worker(new URL(import.meta.url), {
    workerData: {
      seed,
      from: 0,
      to: Number(values.inputs),
      seconds: values.seconds === undefined ? undefined : Number(values.seconds),
      shared,
    },
  });
  let last = -1;
  let since = Date.now();
  let cpuSince = cpuMs();
  let peak = 0;
  const outcome = await new Promise((done) => {
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
      const now = Atomics.load(progress, 0);
      if (now !== last) {
        last = now;
        since = Date.now();
        cpuSince = cpuMs();
      } else if (cpuMs() - cpuSince > HANG_CPU_MS || Date.now() - since > HANG_WALL_MS) finish({ hang: now });
    }, 200);
    const finish = (result) => {
      clearInterval(watch);
      done(result);
    };
    worker.once('message', finish);
    worker.once('error', (error) => finish({ crash: Atomics.load(progress, 0), error: error.stack }));
    worker.once('exit', () => finish({ crash: Atomics.load(progress, 0), error: 'the worker ended' }));
  });
  await worker.terminate();
  const report = {
    seed,
    ...outcome,
    seconds: Math.round((Date.now() - started) / 100) / 10,
    peakRssMb: Math.round(peak / 1e6),
  };
  process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
  const good =
    outcome.failures?.length === 0 &&
    outcome.hang === undefined &&
    outcome.crash === undefined &&
    peak < MAX_RSS_BYTES;
  return good ? 0 : 1;
}

if (isMainThread) process.exitCode = await main();
else parentPort.postMessage(await work(workerData));
