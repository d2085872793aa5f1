/**
 * The operations of a plan as requests for grpcurl and as a script for the Canton console. Message and field names are
 * those of `com.digitalasset.canton.admin.participant.v30.ParticipantRepairService`.
 */
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createAtomicFile, writeFileAtomic } from '../io/atomicFile.js';
import { readChunks } from '../io/input.js';
import { FILE_DIGESTS } from './fileDigests.js';
import type { PlanOperation } from './planJson.js';

const SERVICE = 'com.digitalasset.canton.admin.participant.v30.ParticipantRepairService';
/** Contracts per call: each call is one unit. */
const BATCH = 1000;
/** Bytes of an import file per message; a request message may hold 10 MiB. */
const IMPORT_PIECE_BYTES = 2 << 20;

interface Call {
  method: string;
  /** Inside the folder of requests. */
  file: string;
}

/**
 * Writes `requests/NNN-….json` and `grpcurl.sh`, which checks the files against their digests ({@link FILE_DIGESTS}), then
 * sends them in order and stops at the first failure. The address
 * of the admin API, and any flag of grpcurl (`-plaintext`, certificates, tokens), come from the environment.
 */
export async function writeRequests(folder: string, operations: readonly PlanOperation[]): Promise<void> {
  if (operations.length === 0) return;
  const requests = join(folder, 'requests');
  await mkdir(requests, { recursive: true });
  const calls: Call[] = [];
  const next = (name: string): string => `${String(calls.length + 1).padStart(4, '0')}-${name}.json`;
  for (const operation of operations) {
    const source = join(folder, operation.file);
    if (operation.op === 'import') {
      const file = next('import');
      await writeImport(join(requests, file), source, operation);
      calls.push({ method: 'ImportAcs', file });
      continue;
    }
    for await (const batch of batches(source)) {
      const file = next(operation.op);
      const request =
        operation.op === 'purge'
          ? { synchronizerAlias: operation.alias, contractIds: batch, ignoreAlreadyPurged: false }
          : {
              sourceSynchronizerAlias: operation.alias,
              targetSynchronizerAlias: operation.targetAlias,
              skipInactive: false,
              contracts: batch.map((line) => JSON.parse(line) as unknown),
            };
      await writeFileAtomic(join(requests, file), `${JSON.stringify(request)}\n`);
      calls.push({ method: operation.op === 'purge' ? 'PurgeContracts' : 'ChangeAssignation', file });
    }
  }
  await writeFileAtomic(join(folder, 'grpcurl.sh'), script(calls));
}

async function writeImport(
  path: string,
  source: string,
  operation: Extract<PlanOperation, { op: 'import' }>,
): Promise<void> {
  const file = await createAtomicFile(path);
  try {
    let first = true;
    for await (const piece of readChunks(source, IMPORT_PIECE_BYTES)) {
      const message: Record<string, string> = { acsSnapshot: piece.toString('base64') };
      if (first) {
        message.contractImportMode = 'CONTRACT_IMPORT_MODE_VALIDATION';
        message.synchronizerId = operation.synchronizerId;
      }
      first = false;
      await file.write(Buffer.from(`${JSON.stringify(message)}\n`));
    }
    await file.commit();
  } finally {
    await file.abort();
  }
}

/** Lines of a list, a batch at a time. */
async function* batches(path: string): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const line of readLines(path)) {
    batch.push(line);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** The lines of a text file that are not empty. */
export async function* readLines(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of readChunks(path, 1 << 16)) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== '') yield line;
  }
  if (rest !== '') yield rest;
}

function script(calls: readonly Call[]): string {
  return `#!/bin/sh
# Sends the requests of this plan in order. ADMIN_API is host:port of the participant's admin API; GRPCURL_FLAGS are
# passed on to grpcurl, e.g. GRPCURL_FLAGS="-plaintext". Every synchronizer has to be disconnected.
# After a failure: find out why, then go on from that request, e.g. FROM=3 sh grpcurl.sh
set -eu
cd "$(dirname "$0")"
# What is sent is what was planned: nothing is, when a file was changed or lost.
if command -v sha256sum >/dev/null; then sha256sum -c ${FILE_DIGESTS} >&2; else shasum -a 256 -c ${FILE_DIGESTS} >&2; fi
cd requests
: "\${ADMIN_API:?set it to host:port of the admin API}"
FROM=\${FROM:-1}
send() {
  [ "$1" -lt "$FROM" ] && return 0
  echo "$1 $2 $3" >&2
  grpcurl \${GRPCURL_FLAGS:-} -d @ "$ADMIN_API" "${SERVICE}/$2" < "$3"
}
${calls.map((call, i) => `send ${i + 1} ${call.method} ${call.file}`).join('\n')}
`;
}

/** Scala for the Canton console; `participant` is the name the console knows the participant by. */
export function consoleScript(name: string, operations: readonly PlanOperation[]): string {
  const lines = [
    `// Repair of ${scalaText(name)}. Run in the folder of this file, in a console with features.enable-repair-commands.`,
    `val repaired = participants.all.find(_.name == ${scalaText(name)}).getOrElse(sys.error(${scalaText(`no participant ${name}`)}))`,
    'repaired.synchronizers.disconnect_all()',
    'def lines(file: String): Seq[String] = scala.io.Source.fromFile(file).getLines().filter(_.nonEmpty).toSeq',
    'def id(hex: String) = com.digitalasset.canton.protocol.LfContractId.assertFromString(hex)',
  ];
  for (const operation of operations) {
    const alias = scalaText(operation.alias);
    const file = scalaText(basename(operation.file));
    if (operation.op === 'purge') {
      lines.push(
        `lines(${file}).grouped(${BATCH}).foreach(ids => repaired.repair.purge(${alias}, ids.map(id), ignoreAlreadyPurged = false))`,
      );
    } else if (operation.op === 'import') {
      lines.push(
        `repaired.repair.import_acs(SynchronizerId.tryFromString(${scalaText(operation.synchronizerId)}), ${file})`,
      );
    } else {
      lines.push(
        `lines(${file}).grouped(${BATCH}).foreach { batch =>`,
        `  val moved = batch.map { line =>`,
        `    val Seq(contract, counter) = "\\"([0-9a-f]+)\\"".r.findAllMatchIn(line).map(_.group(1)).toSeq`,
        `    id(contract) -> com.digitalasset.canton.ReassignmentCounter(counter.toLong)`,
        `  }`,
        `  repaired.repair.change_assignation(moved.map(_._1), ${alias}, ${scalaText(operation.targetAlias)}, reassignmentCounterOverride = moved.toMap, skipInactive = false)`,
        `}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function scalaText(text: string): string {
  return JSON.stringify(text);
}
