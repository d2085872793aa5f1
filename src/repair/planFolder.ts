/**
 * Writing the files of a plan: per participant its lists and import files, the same calls as grpcurl requests and as a
 * console script, and what to do in which order.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSnapshotFile, type SnapshotFile } from '../contract/snapshotFile.js';
import { openTextSpool, type TextSpool } from '../diff/textSpool.js';
import { createAtomicFile, writeFileAtomic } from '../io/atomicFile.js';
import { usageError } from '../io/error.js';
import type { RepairAction } from './decide.js';
import { sha256OfFile, writeFileDigests } from './fileDigests.js';
import { INVERSE_FOLDER, type PlanOperation, type PlanParticipant } from './planJson.js';
import { consoleScript, writeRequests } from './repairScripts.js';
import { repairSteps } from './repairSteps.js';

/** The order of operations: back in the reverse order of there. */
const ORDER = { plan: ['purge', 'import', 'assign'], inverse: ['assign', 'purge', 'import'] } as const;

interface ListDraft {
  op: 'purge' | 'assign';
  synchronizer: string;
  target?: string;
  file: string;
  spool: TextSpool;
  contracts: number;
}

interface ImportDraft {
  op: 'import';
  synchronizer: string;
  file: string;
  /** Undefined while the file is being opened; rows wait meanwhile. */
  snapshot: SnapshotFile | undefined;
  waiting: Buffer[];
  contracts: number;
  highest: bigint;
}

/** The files of one participant, while they are written. */
export interface ParticipantFiles {
  /** Takes a purge or an assignation into its list. */
  list(contractId: string, action: Exclude<RepairAction, { kind: 'import' }>): void;
  /** Takes a row into an import file. */
  import(frame: Buffer, synchronizer: string, reassignmentCounter: bigint): Promise<void> | void;
  /** Await once per chunk of input. */
  ready(): Promise<void>;
  finish(): Promise<PlanParticipant>;
  abort(): Promise<void>;
}

export interface ParticipantFilesOptions {
  /** Folder of the plan. */
  folder: string;
  kind: 'plan' | 'inverse';
  participant: string;
  name: string;
  aliases: ReadonlyMap<string, string>;
  /** Write grpcurl requests, the console script and the page of steps too. */
  scripts: boolean;
}

export function openParticipantFiles(options: ParticipantFilesOptions): ParticipantFiles {
  const { aliases, kind, name, participant } = options;
  const own = fileName(name);
  const folder = join(options.folder, own);
  const lists = new Map<string, ListDraft>();
  const imports = new Map<string, ImportDraft>();
  const opening: Promise<void>[] = [];
  const aliasOf = (synchronizer: string): string => aliasFor(aliases, synchronizer);

  function listFor(action: Exclude<RepairAction, { kind: 'import' }>): ListDraft {
    const [source, target] =
      action.kind === 'purge' ? [action.synchronizer, undefined] : [action.source, action.target];
    const key = `${action.kind} ${source} ${target ?? ''}`;
    let draft = lists.get(key);
    if (draft === undefined) {
      const file =
        target === undefined
          ? `purge.${fileName(aliasOf(source))}.txt`
          : `assign.${fileName(aliasOf(source))}.${fileName(aliasOf(target))}.jsonl`;
      draft = { op: action.kind, synchronizer: source, file, spool: openTextSpool(), contracts: 0 };
      if (target !== undefined) draft.target = target;
      lists.set(key, draft);
    }
    return draft;
  }

  return {
    list(contractId, action) {
      const draft = listFor(action);
      draft.contracts++;
      draft.spool.write(
        action.kind === 'purge'
          ? `${contractId}\n`
          : `{"id":"${contractId}","reassignmentCounterOverride":"${action.reassignmentCounter}"}\n`,
      );
    },

    import(frame, synchronizer, reassignmentCounter) {
      let draft = imports.get(synchronizer);
      let opened: Promise<void> | undefined;
      if (draft === undefined) {
        const file = `import.${fileName(aliasOf(synchronizer))}.acs.gz`;
        draft = {
          op: 'import',
          synchronizer,
          file,
          snapshot: undefined,
          waiting: [],
          contracts: 0,
          highest: 0n,
        };
        imports.set(synchronizer, draft);
        opened = openImport(draft);
        opening.push(opened);
      }
      if (draft.snapshot === undefined) draft.waiting.push(frame);
      else draft.snapshot.writeFrame(frame);
      draft.contracts++;
      if (reassignmentCounter > draft.highest) draft.highest = reassignmentCounter;
      return opened;
    },

    async ready() {
      await Promise.all(opening);
      for (const draft of imports.values()) await draft.snapshot!.ready();
    },

    async finish() {
      await Promise.all(opening);
      await mkdir(folder, { recursive: true });
      const operations: PlanOperation[] = [];
      for (const op of ORDER[kind]) {
        const drafts =
          op === 'import' ? [...imports.values()] : [...lists.values()].filter((draft) => draft.op === op);
        drafts.sort((a, b) => (a.file < b.file ? -1 : 1));
        for (const draft of drafts) operations.push(await complete(draft));
      }
      const steps = repairSteps(kind, name, operations);
      if (options.scripts) await writeFileAtomic(join(folder, 'steps.md'), stepsPage(name, steps));
      if (options.scripts && operations.length > 0) {
        await writeFileAtomic(join(folder, 'console.sc'), consoleScript(name, operations));
        await writeRequests(folder, operations);
        await writeFileDigests(folder);
      }
      return { participant, name, folder: own, operations, steps };
    },

    async abort() {
      await Promise.allSettled(opening);
      for (const draft of imports.values()) await draft.snapshot?.abort();
      for (const draft of lists.values()) draft.spool.close();
    },
  };

  async function openImport(draft: ImportDraft): Promise<void> {
    await mkdir(folder, { recursive: true });
    draft.snapshot = await createSnapshotFile(join(folder, draft.file), { digests: true });
    for (const frame of draft.waiting.splice(0)) draft.snapshot.writeFrame(frame);
  }

  async function complete(draft: ListDraft | ImportDraft): Promise<PlanOperation> {
    const path = join(folder, draft.file);
    let sha256: string;
    if (draft.op === 'import') sha256 = (await draft.snapshot!.finish()).inflatedSha256!;
    else {
      await writeSpool(path, draft.spool);
      sha256 = await sha256OfFile(path);
    }
    const common = {
      synchronizerId: draft.synchronizer,
      alias: aliasOf(draft.synchronizer),
      file: draft.file,
      contracts: draft.contracts,
      sha256,
    };
    if (draft.op === 'import') return { op: 'import', ...common, highestCounter: draft.highest.toString() };
    if (draft.op === 'purge') return { op: 'purge', ...common };
    return {
      op: 'assign',
      ...common,
      targetSynchronizerId: draft.target!,
      targetAlias: aliasOf(draft.target!),
    };
  }
}

async function writeSpool(path: string, spool: TextSpool): Promise<void> {
  const file = await createAtomicFile(path);
  try {
    for (const chunk of spool.read()) await file.write(chunk);
    await file.commit();
  } finally {
    await file.abort();
    spool.close();
  }
}

function stepsPage(name: string, steps: readonly string[]): string {
  return `# ${name}\n\n${steps.map((step, i) => `${i + 1}. ${step}`).join('\n')}\n`;
}

/** The alias of a synchronizer: as given, else the name in front of `::`. */
export function aliasFor(aliases: ReadonlyMap<string, string>, synchronizer: string): string {
  return aliases.get(synchronizer) ?? synchronizer.split('::')[0]!;
}

/** Throws a usage error when two synchronizers would have the same alias, or files of the same name. */
export function checkAliases(aliases: ReadonlyMap<string, string>, synchronizers: Iterable<string>): void {
  const seen = new Map<string, string>();
  for (const synchronizer of synchronizers) {
    const alias = aliasFor(aliases, synchronizer);
    const name = fileName(alias);
    const other = seen.get(name);
    if (other !== undefined && other !== synchronizer) {
      throw usageError(
        aliasFor(aliases, other) === alias
          ? `${other} and ${synchronizer} have the same alias ${alias}`
          : `the aliases of ${other} and ${synchronizer} give the same file name ${name}`,
        'name the aliases: --alias SYNCHRONIZER=ALIAS',
      );
    }
    seen.set(name, synchronizer);
  }
}

/** Throws a usage error when two participants would write into the same folder. */
export function checkFolderNames(names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const folder = fileName(name);
    const other = seen.get(folder);
    if (other !== undefined || folder === INVERSE_FOLDER) {
      throw usageError(
        `the participants ${other ?? INVERSE_FOLDER} and ${name} would share the folder ${folder}`,
        'rename one in the hosting map',
      );
    }
    seen.set(folder, name);
  }
}

function fileName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_-]/g, '_');
  return name === '' ? '_' : name;
}
