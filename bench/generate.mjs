#!/usr/bin/env node
/**
 * Seeded generator of realistic format-A snapshots of any size. The default shape is that of a large real export of
 * small contracts: `Iou`s of one bank and many owners, two parties each, 2 % with an observer more, ~1540 bytes per
 * record inflated, incompressible ids, hashes and salts. Same options and seed give the same bytes. A contract depends
 * on the seed and its own index only, so two files that differ in `archivedShare`, `first`, `movedShare` or `shuffle`
 * share the rest of their contracts byte for byte: input for diffs and merges.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { BlobView } from '../dist/contract/blob.js';
import { createSnapshotFile } from '../dist/contract/snapshotFile.js';
import { loadDars } from '../dist/dar/catalog.js';
import { ContractHasher, METHOD_OF_VERSION } from '../dist/hash/contractHasher.js';
import { writeTimestamp } from '../dist/snapshot/encodeRecord.js';
import { WireWriter } from '../dist/wire/writer.js';

/**
 * @typedef {object} GenerateOptions
 * @property {number} [count] contracts, before archiving; default 20000
 * @property {number} [first] index of the first contract; default 0
 * @property {number} [seed] default 1
 * @property {number} [parties] owners; default 200
 * @property {number} [synchronizers] default 1
 * @property {'V10' | 'V11' | 'V12' | 'V2_0'} [idVersion] default V12
 * @property {'iou' | 'mixed'} [shape] `mixed`: 70 % Iou, 20 % Deal (two signatories), 9 % Certificate with a map,
 *   1 % with a long list of observers; default iou
 * @property {number} [observerShare] share of Ious with an observer; default 0.02
 * @property {number} [movedShare] share with a reassignment counter above 0; default 0.001
 * @property {number} [archivedShare] share of the contracts left out; default 0
 * @property {number} [referenceShare] share of contracts that hold the id of an earlier one: Deals about an Iou, so at
 *   most 0.2 and for shape `mixed`; with `first` or `archivedShare` some of those they refer to are not in the file;
 *   default 0
 * @property {number} [inFlight] empty records at the end; default 0
 * @property {boolean} [shuffle] another order of the same contracts
 * @property {boolean} [minimal] only the fields an import reads
 * @property {boolean} [authentic] ids that belong to the content, so that they verify; not for V2_0
 */

/** @type {Required<GenerateOptions>} */
export const DEFAULTS = {
  count: 20000,
  first: 0,
  seed: 1,
  parties: 200,
  synchronizers: 1,
  idVersion: 'V12',
  shape: 'iou',
  observerShare: 0.02,
  movedShare: 0.001,
  archivedShare: 0,
  referenceShare: 0,
  inFlight: 0,
  shuffle: false,
  minimal: false,
  authentic: false,
};

const PACKAGE_ID = '0e004d4f1312221fb630102c5dd9c685f56c1e1d45065eccce630692391711dd';
const PACKAGE_NAME = 'acme-iou';
const REGISTRY_ID = '823cb36b0d5ab24c82c6846e6c4affbd2815c1b60404f9008176de5a089fc370';
const REGISTRY_NAME = 'acme-registry';
const CURRENCIES = ['EUR', 'USD', 'CHF', 'GBP'];
const FIRST_MICROS = 1767229200000000n;
const IN_FLIGHT = Buffer.from('040a00101e', 'hex');

/** sfc32 over (seed, stream, index): 32-bit words, the same on every machine. */
function randomOf(seed, stream, index) {
  let a = seed | 0;
  let b = stream | 0;
  let c = index | 0;
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
  for (let i = 0; i < 12; i++) next();
  return next;
}

function fill(buf, at, bytes, next) {
  for (let i = 0; i < bytes; i += 4) buf.writeUInt32LE(next(), at + i);
}

function partyName(hint, seed, number) {
  const key = Buffer.alloc(32);
  fill(key, 0, 32, randomOf(seed, 7, number));
  return `${hint}::1220${key.toString('hex')}`;
}

/** Parties and synchronizers of a run: `bank` and its owners share a namespace, as parties of one participant do. */
export function population(options = {}) {
  const o = { ...DEFAULTS, ...options };
  const bank = partyName('bank', o.seed, 0);
  const namespace = bank.slice(bank.indexOf('::'));
  return {
    bank,
    auditor: partyName('auditor', o.seed, 1),
    owners: Array.from({ length: o.parties }, (_, i) => `client-${i}${namespace}`),
    synchronizers: Array.from({ length: o.synchronizers }, (_, i) =>
      partyName(i === 0 ? 'acme-sync' : `acme-sync-${i}`, o.seed, 100 + i),
    ),
  };
}

const ID_PREFIX = { V10: 'ca10', V11: 'ca11', V12: 'ca12' };

/** The Iou that a Deal is about, at most some thousand contracts before it; none when there is no earlier one. */
function iouBefore(people, o, index, draw) {
  for (let at = index - 1 - (draw % Math.min(index, 1000)); at >= 0; at--) {
    if (contractAt(people, o, at).entityName === 'Iou') return at;
  }
  return undefined;
}

/** Everything about contract `index`, as plain data. `numbers` are its random draws. */
export function contractAt(people, o, index) {
  const next = randomOf(o.seed, 1, index);
  const v2 = o.idVersion === 'V2_0';
  const id = Buffer.alloc(v2 ? 46 : 69);
  const salt = Buffer.alloc(32);
  fill(salt, 0, 32, next);
  let authenticationData;
  if (v2) {
    const random = Buffer.alloc(76);
    fill(random, 0, 76, next);
    id[0] = 1;
    random.copy(id, 1, 0, 12);
    id[13] = 0x80;
    random.copy(id, 14, 12, 44);
    authenticationData = Buffer.concat([
      Buffer.from('0a20', 'hex'),
      salt,
      Buffer.from('12221220', 'hex'),
      random.subarray(44, 76),
    ]);
  } else {
    const random = Buffer.alloc(64);
    fill(random, 0, 64, next);
    random.copy(id, 1, 0, 32);
    id.write(`${ID_PREFIX[o.idVersion]}1220`, 33, 'hex');
    random.copy(id, 37, 32, 64);
    authenticationData = Buffer.concat([
      Buffer.from('0a260a2408011220', 'hex'),
      salt,
      Buffer.from('101e', 'hex'),
    ]);
  }
  const share = () => next() / 2 ** 32;
  const owner = people.owners[next() % people.owners.length];
  const kind = o.shape === 'iou' ? 0 : share();
  const micros = FIRST_MICROS + BigInt(index) * 1000n;
  const synchronizerId = people.synchronizers[next() % people.synchronizers.length];
  const counter = share() < o.movedShare ? 1 + (next() % 5) : 0;
  const amount = `${1 + (next() % 999999)}.${String(next() % 100).padStart(2, '0')}`;
  const { bank, auditor } = people;
  const common = { index, id, authenticationData, micros, synchronizerId, counter };
  if (kind < 0.7) {
    const observers = share() < o.observerShare ? [auditor, owner] : [owner];
    return {
      ...common,
      packageId: PACKAGE_ID,
      packageName: PACKAGE_NAME,
      moduleName: 'Acme.Iou',
      entityName: 'Iou',
      signatories: [bank],
      observers: observers.sort(),
      fields: [
        ['party', bank],
        ['party', owner],
        ['text', CURRENCIES[next() % CURRENCIES.length]],
        ['numeric', `${amount}00000000`],
        ['parties', observers.filter((party) => party !== owner)],
      ],
    };
  }
  if (kind < 0.9) {
    const other = people.owners[next() % people.owners.length];
    return {
      ...common,
      packageId: PACKAGE_ID,
      packageName: PACKAGE_NAME,
      moduleName: 'Acme.Iou',
      entityName: 'Deal',
      signatories: [...new Set([owner, other])].sort(),
      observers: [bank],
      fields: [
        ['party', owner],
        ['party', other],
        ['some', bank],
        ['text', `item ${index}`],
        ['numeric', amount],
      ],
      refersTo: kind - 0.7 < o.referenceShare ? iouBefore(people, o, index, next()) : undefined,
    };
  }
  const crowd = kind >= 0.99 ? 10 + (next() % 40) : 1;
  const observers = [];
  for (let i = 0; i < crowd; i++) observers.push(people.owners[next() % people.owners.length]);
  const entries = [];
  for (let i = 0; i <= next() % 6; i++) entries.push([`k${i}`, `value ${next() % 1000}`]);
  return {
    ...common,
    packageId: REGISTRY_ID,
    packageName: REGISTRY_NAME,
    moduleName: 'Acme.Registry',
    entityName: 'Certificate',
    signatories: [auditor, bank].sort(),
    observers: [...new Set(observers)].sort(),
    fields: [
      ['party', auditor],
      ['party', bank],
      ['text', `bond-${next() % 50}`],
      ['numeric', `${amount}00000000`],
      ['texts', entries],
    ],
  };
}

/** Serialized LF `Value` (as in the blob). */
function writeLfFields(w, fields) {
  w.messageField(13, () => {
    for (const [kind, value] of fields) {
      w.messageField(1, () => {
        w.messageField(1, () => {
          if (kind === 'party') w.stringField(7, value);
          else if (kind === 'text') w.stringField(8, value);
          else if (kind === 'numeric') w.stringField(6, value);
          else if (kind === 'some')
            w.messageField(10, () => w.messageField(1, () => w.stringField(7, value)));
          else if (kind === 'someContract')
            w.messageField(10, () => w.messageField(1, () => w.bytesField(9, value)));
          else if (kind === 'parties') {
            w.messageField(11, () => {
              for (const party of value) w.messageField(1, () => w.stringField(7, party));
            });
          } else {
            w.messageField(16, () => {
              for (const [key, text] of value) {
                w.messageField(1, () => {
                  w.stringField(1, key);
                  w.messageField(2, () => w.stringField(8, text));
                });
              }
            });
          }
        });
      });
    }
  });
}

/** Serialized Ledger API `Record` (create_arguments): other field numbers than in the blob. */
function writeLedgerFields(w, fields) {
  for (const [kind, value] of fields) {
    w.messageField(2, () => {
      w.messageField(2, () => {
        if (kind === 'party') w.stringField(7, value);
        else if (kind === 'text') w.stringField(8, value);
        else if (kind === 'numeric') w.stringField(6, value);
        else if (kind === 'some') w.messageField(10, () => w.messageField(1, () => w.stringField(7, value)));
        else if (kind === 'someContract')
          w.messageField(10, () => w.messageField(1, () => w.stringField(9, value.toString('hex'))));
        else if (kind === 'parties') {
          w.messageField(11, () => {
            for (const party of value) w.messageField(1, () => w.stringField(7, party));
          });
        } else {
          w.messageField(12, () => {
            for (const [key, text] of value) {
              w.messageField(1, () => {
                w.stringField(1, key);
                w.messageField(2, () => w.stringField(8, text));
              });
            }
          });
        }
      });
    });
  }
}

function writeBlob(w, contract) {
  w.stringField(1, '2.1');
  w.messageField(2, () => {
    w.bytesField(1, contract.id);
    w.stringField(2, contract.packageName);
    w.messageField(3, () => {
      w.stringField(1, contract.packageId);
      for (const segment of contract.moduleName.split('.')) w.stringField(2, segment);
      w.stringField(3, contract.entityName);
    });
    w.messageField(4, () => writeLfFields(w, contract.fields));
    for (const party of contract.signatories) w.stringField(5, party);
    for (const party of contract.observers) w.stringField(6, party);
    w.tag(7, 1).sfixed64(contract.micros);
    w.bytesField(8, contract.authenticationData);
  });
}

function writeEvent(w, contract, minimal) {
  if (!minimal) w.tag(1, 0).varint(5000 + 3 * contract.index);
  w.stringField(3, contract.id.toString('hex'));
  if (!minimal) {
    w.messageField(4, () => {
      w.stringField(1, contract.packageId);
      w.stringField(2, contract.moduleName);
      w.stringField(3, contract.entityName);
    });
    w.messageField(6, () => writeLedgerFields(w, contract.fields));
  }
  w.messageField(7, () => writeBlob(w, contract));
  if (!minimal) {
    for (const party of [...contract.signatories, ...contract.observers].sort()) w.stringField(9, party);
    for (const party of contract.signatories) w.stringField(10, party);
    for (const party of contract.observers) w.stringField(11, party);
    w.messageField(12, () => writeTimestamp(w, contract.micros));
    w.stringField(13, contract.packageName);
    w.tag(14, 0).varint(1);
  }
  w.stringField(15, contract.packageId);
}

/** The frame of one contract, valid until the next call with the same writers. */
function frameOf(w, out, contract, minimal) {
  w.clear();
  w.messageField(1, () => {
    w.messageField(1, () => {
      w.messageField(1, () => writeEvent(w, contract, minimal));
      w.stringField(2, contract.synchronizerId);
      if (contract.counter > 0) w.tag(3, 0).varint(contract.counter);
    });
  });
  w.byte(0x10).byte(30);
  const body = w.view();
  return out.clear().varint(body.length).raw(body).view();
}

/** Gives each contract the id that belongs to its content. Without it the hash in an id is random. */
async function idMaker() {
  const dars = fileURLToPath(new URL('../fixtures/dars', import.meta.url));
  const hasher = new ContractHasher(await loadDars([dars], { cacheDir: false }));
  const w = new WireWriter(8192);
  const view = new BlobView();
  return (contract, version) => {
    w.clear();
    writeBlob(w, contract);
    view.parse(w.view());
    const binding = hasher.binder.bind(view, '');
    const hash = hasher.contractHash(view, binding, METHOD_OF_VERSION[version]);
    return hasher.contractId(view, version, hash);
  };
}

function contractWithId(people, o, index, makeId) {
  const contract = contractAt(people, o, index);
  if (contract.refersTo !== undefined) {
    contract.fields.push(['someContract', contractWithId(people, o, contract.refersTo, makeId).id]);
  }
  if (makeId !== undefined) contract.id = Buffer.from(makeId(contract, o.idVersion));
  return contract;
}

/** True when contract `index` is left out at this `archivedShare`; a larger share leaves out those of a smaller too. */
export function isArchived(o, index) {
  return o.archivedShare > 0 && randomOf(o.seed, 2, index)() / 2 ** 32 < o.archivedShare;
}

/** The n-th index in file order. */
function indexAt(o, n) {
  if (!o.shuffle) return o.first + n;
  let step = Math.floor(o.count * 0.618) | 1;
  while (gcd(step, o.count) !== 1) step++;
  return o.first + Number((BigInt(n) * BigInt(step) + 17n) % BigInt(o.count));
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

/**
 * Frames in file order, in-flight ones last. Each is valid until the next step: copy what must live longer.
 * @param {GenerateOptions} options
 * @param {((contract: object, version: string) => Buffer) | undefined} makeId
 * @returns {Generator<Buffer>}
 */
export function* frames(options = {}, makeId = undefined) {
  const o = { ...DEFAULTS, ...options };
  if (o.referenceShare > (o.shape === 'mixed' ? 0.2 : 0))
    throw new Error('referenceShare: at most 0.2, and only for shape mixed');
  const people = population(o);
  const w = new WireWriter(8192);
  const out = new WireWriter(8192);
  for (let n = 0; n < o.count; n++) {
    const index = indexAt(o, n);
    if (isArchived(o, index)) continue;
    const contract = contractWithId(people, o, index, makeId);
    yield frameOf(w, out, contract, o.minimal);
  }
  for (let n = 0; n < o.inFlight; n++) yield IN_FLIGHT;
}

/**
 * Writes a snapshot file. `plain` writes one unbroken deflate stream, as a participant does; otherwise our own writer
 * is used, with `manifest` if wanted.
 * @param {string} path
 * @param {GenerateOptions & { plain?: boolean, manifest?: boolean, level?: number }} options
 */
export async function generateSnapshot(path, options = {}) {
  let records = 0;
  let inflatedBytes = 0;
  const makeId = options.authentic ? await idMaker() : undefined;
  if (options.plain) {
    const gzip = createGzip({ level: options.level ?? 6, chunkSize: 1 << 20 });
    const file = createWriteStream(`${path}.part`);
    gzip.pipe(file);
    let batch = [];
    let size = 0;
    const send = async () => {
      if (!gzip.write(Buffer.concat(batch, size))) await once(gzip, 'drain');
      batch = [];
      size = 0;
    };
    for (const frame of frames(options, makeId)) {
      batch.push(Buffer.from(frame));
      size += frame.length;
      records++;
      inflatedBytes += frame.length;
      if (size >= 1 << 20) await send();
    }
    await send();
    gzip.end();
    await once(file, 'finish');
    await rename(`${path}.part`, path);
  } else {
    const file = await createSnapshotFile(path, { manifest: options.manifest, level: options.level });
    for (const frame of frames(options, makeId)) {
      file.writeFrame(frame);
      if (++records % 500 === 0) await file.ready();
    }
    inflatedBytes = (await file.finish()).inflatedBytes;
  }
  return { path, records, inflatedBytes };
}

async function main() {
  const number = { type: 'string' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: number,
      first: number,
      seed: number,
      parties: number,
      synchronizers: number,
      'id-version': { type: 'string' },
      shape: { type: 'string' },
      'observer-share': number,
      'moved-share': number,
      'archived-share': number,
      'reference-share': number,
      'in-flight': number,
      level: number,
      shuffle: { type: 'boolean' },
      minimal: { type: 'boolean' },
      authentic: { type: 'boolean' },
      plain: { type: 'boolean' },
      manifest: { type: 'boolean' },
    },
  });
  if (positionals.length !== 1) {
    process.stderr.write(`usage: node bench/generate.mjs OUT.acs.gz [--count 20000] [--seed 1] [--parties 200]
  [--synchronizers 1] [--id-version V12] [--shape iou|mixed] [--observer-share 0.02] [--moved-share 0.001]
  [--archived-share 0] [--reference-share 0] [--first 0] [--in-flight 0] [--shuffle] [--minimal] [--authentic]
  [--plain] [--manifest] [--level 6]\n`);
    process.exitCode = 2;
    return;
  }
  const options = {};
  for (const [key, value] of Object.entries(values)) {
    const name = key.replace(/-(.)/g, (_, c) => c.toUpperCase());
    options[name] =
      typeof value === 'string' && !['idVersion', 'shape'].includes(name) ? Number(value) : value;
  }
  const started = process.hrtime.bigint();
  const written = await generateSnapshot(positionals[0], options);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  process.stdout.write(
    `${JSON.stringify({ ...written, seconds, peakRssBytes: process.resourceUsage().maxRSS * 1024 })}\n`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
