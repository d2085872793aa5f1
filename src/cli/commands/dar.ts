/** `acs dar` */
import type { Argv } from 'yargs';
import { type DarCatalog, loadDars } from '../../dar/catalog.js';
import {
  type ChoiceDescription,
  type DarsDescription,
  describeDars,
  describeInterfaces,
  describeTemplates,
  describeTypes,
  type InterfaceDescription,
  type TemplateDescription,
  type TypeDescription,
} from '../../dar/describe.js';
import type { Package } from '../../dar/type.js';
import { diffUpgrade, type UpgradeDiff } from '../../dar/upgradeDiff.js';
import { AcsError } from '../../io/error.js';
import { defineCommand, EXIT } from '../command.js';
import { cacheOptions, loadOptions } from '../darOptions.js';
import { renderTable } from '../table.js';

const FILES = {
  type: 'string',
  array: true,
  demandOption: true,
  describe: 'DAR or DALF files, or folders of them',
} as const;

const infoCommand = defineCommand({
  command: 'info <files..>',
  describe: 'packages of DARs: ids, names, versions; upgrade chains and collisions',
  details:
    'Checks every package id against the bytes. Names packages that a DAR needs but nothing provides,\n' +
    'and different packages of one name and version. A package may inflate to 256 MiB, all of a DAR to 1 GiB.',
  examples: [
    ['acs dar info splice-amulet-0.1.14.dar', 'what is in the DAR'],
    ['acs dar info --json dars/', 'every DAR of a folder, as JSON'],
  ],
  exitStatus: { 0: 'read, nothing amiss', 1: 'packages are missing, superfluous, unreadable or collide' },
  options: (y) => cacheOptions(y.positional('files', FILES)),
  async run(args, context) {
    const catalog = await loadDars(args.files, loadOptions(args));
    const description = describeDars(catalog);
    await context.result(description, () => infoText(description));
    return description.findings.length > 0 ? EXIT.findings : EXIT.ok;
  },
});

const typesCommand = defineCommand({
  command: 'types <files..>',
  describe: 'data types: fields, constructors, parameters',
  examples: [
    ['acs dar types acme-iou-1.0.0.dar', 'serializable types of the main package'],
    ['acs dar types --package daml-prim-DA-Types acme.dar', 'types of a dependency'],
    ['acs dar types --name Acme.Iou:Iou --json acme-iou-1.0.0.dar', 'one type, as JSON'],
  ],
  exitStatus: { 0: 'printed' },
  options: (y) =>
    selection(y.positional('files', FILES))
      .option('name', { type: 'string', describe: 'only the type Module:Type' })
      .option('internal', {
        type: 'boolean',
        default: false,
        describe: 'also types that no contract can hold, and synonyms',
      }),
  async run(args, context) {
    const catalog = await loadDars(args.files, loadOptions(args));
    const packages = selectPackages(catalog, args.package);
    let types = packages.flatMap(describeTypes);
    if (args.name !== undefined) {
      types = types.filter((type) => type.type === args.name);
      if (types.length === 0) {
        throw new AcsError('TYPE_NOT_FOUND', `no type is called ${args.name}`, {
          expected: 'Module:Type',
          exitCode: 2,
        });
      }
    } else if (!args.internal) types = types.filter((type) => type.serializable);
    await context.result({ types }, () => types.map(typeText).join('\n'));
    return EXIT.ok;
  },
});

const templatesCommand = defineCommand({
  command: 'templates <files..>',
  describe: 'templates and interfaces: fields, key, choices, implemented interfaces',
  examples: [
    ['acs dar templates acme-iou-1.0.0.dar', 'templates of the main package'],
    ['acs dar templates --json --package acme-holding-api acme-registry-1.0.0.dar', 'those of a dependency'],
  ],
  exitStatus: { 0: 'printed' },
  options: (y) => selection(y.positional('files', FILES)),
  async run(args, context) {
    const catalog = await loadDars(args.files, loadOptions(args));
    const packages = selectPackages(catalog, args.package);
    const templates = packages.flatMap(describeTemplates);
    const interfaces = packages.flatMap(describeInterfaces);
    await context.result({ templates, interfaces }, () =>
      [...templates.map(templateText), ...interfaces.map(interfaceText)].join('\n\n'),
    );
    return EXIT.ok;
  },
});

const diffCommand = defineCommand({
  command: 'diff <older> <newer>',
  describe: 'whether one DAR is a valid upgrade of another, and why not',
  details:
    'Compares the main packages by the rules a participant applies when it vets an upgrade: types,\n' +
    'templates and choices stay, new fields are Optional and come last, new constructors come last,\n' +
    'keys do not change, referenced packages do not go back.',
  examples: [
    ['acs dar diff acme-iou-1.0.0.dar acme-iou-1.1.0.dar', 'what changed, and whether it may'],
    ['acs dar diff --json old.dar new.dar', 'the same as JSON'],
  ],
  exitStatus: { 0: 'the same package, or a valid upgrade', 1: 'not a valid upgrade' },
  options: (y) =>
    cacheOptions(
      y
        .positional('older', { type: 'string', demandOption: true, describe: 'DAR of the older package' })
        .positional('newer', { type: 'string', demandOption: true, describe: 'DAR of the newer package' }),
    ),
  async run(args, context) {
    const catalog = await loadDars([args.older, args.newer], loadOptions(args));
    const [older, newer] = [mainOf(catalog, args.older), mainOf(catalog, args.newer)];
    const diff = diffUpgrade(older, newer, catalog);
    await context.result(diff, () => diffText(diff));
    return diff.compatible ? EXIT.ok : EXIT.findings;
  },
});

export const darCommand = defineCommand({
  command: 'dar',
  describe: 'look into DARs: packages, types, templates, upgrades',
  examples: [['acs dar info acme-iou-1.0.0.dar', 'what is in a DAR']],
  exitStatus: {},
  subcommands: [infoCommand, typesCommand, templatesCommand, diffCommand],
});

function selection<T>(y: Argv<T>) {
  return cacheOptions(y).option('package', {
    type: 'string',
    describe: 'another package of the DARs, by name or id (default: the main packages)',
  });
}

function selectPackages(catalog: DarCatalog, wanted: string | undefined): Package[] {
  const ids =
    wanted === undefined
      ? new Set(catalog.dars.map((dar) => dar.mainPackageId))
      : new Set(catalog.ids().filter((id) => id === wanted || catalog.get(id)?.name === wanted));
  const packages = [...ids].flatMap((id) => catalog.get(id) ?? []);
  if (packages.length > 0) return packages;
  if (wanted === undefined) throw unreadable(catalog);
  throw new AcsError('PACKAGE_MISSING', `no package is called ${wanted}`, {
    hint: '`acs dar info` lists the packages',
    exitCode: 2,
  });
}

function mainOf(catalog: DarCatalog, file: string): Package {
  const dar = catalog.dars.find((each) => each.file === file);
  if (dar === undefined) {
    throw new AcsError('DAR_NOT_FOUND', 'a DAR is needed, not a folder', { file, exitCode: 2 });
  }
  const main = catalog.get(dar.mainPackageId);
  if (main === undefined) throw unreadable(catalog).locate({ file });
  return main;
}

function unreadable(catalog: DarCatalog): AcsError {
  const [finding] = catalog.findings;
  return new AcsError('DALF_UNSUPPORTED_VERSION', finding?.message ?? 'no package could be read');
}

function infoText(description: DarsDescription): string {
  const sections = description.dars.map((dar) => {
    const rows = dar.packages.map((each) => [
      each.main ? '*' : each.stable ? 's' : '',
      each.name ?? '-',
      each.version ?? '-',
      each.languageVersion,
      each.templates,
      each.interfaces,
      each.dataTypes,
      each.packageId,
    ]);
    const head = ['', 'name', 'version', 'LF', 'templates', 'interfaces', 'types', 'package id'];
    return `${dar.file}${dar.sdkVersion === null ? '' : `  (SDK ${dar.sdkVersion})`}\n${renderTable(head, rows, { right: [4, 5, 6] })}`;
  });
  const lines = [sections.join('\n\n'), '', '* main package, s stable package (part of every participant)'];
  if (description.upgradeChains.length > 0) {
    lines.push('', 'several packages of one name, by version:');
    for (const chain of description.upgradeChains) {
      lines.push(`  ${chain.name}`);
      for (const each of chain.packages) lines.push(`    ${each.version ?? '-'}  ${each.packageId}`);
    }
  }
  if (description.findings.length > 0) {
    lines.push('', 'findings:');
    for (const finding of description.findings) {
      lines.push(`  ${finding.code}  ${finding.message}`);
      if (finding.code === 'PACKAGE_COLLISION') for (const id of finding.packageIds) lines.push(`    ${id}`);
    }
  }
  return lines.join('\n');
}

function typeText(type: TypeDescription): string {
  const head = `${type.type}${type.params.map((param) => ` ${param}`).join('')}  ${type.form}`;
  if (type.form === 'synonym') return `${head} = ${type.members[0]?.type ?? ''}`;
  return [head, ...memberLines(type.members)].join('\n');
}

function memberLines(members: readonly { name: string; type: string | null }[]): string[] {
  return members.map(({ name, type }) => `  ${name}${type === null ? '' : ` : ${type}`}`);
}

function choiceLines(choices: readonly ChoiceDescription[]): string[] {
  return choices.map(
    (choice) =>
      `  ${choice.consuming ? 'choice' : 'nonconsuming choice'} ${choice.name} (${choice.argument}) : ${choice.returns}`,
  );
}

function templateText(template: TemplateDescription): string {
  return [
    `template ${template.templateId}`,
    ...memberLines(template.fields),
    ...(template.key === null ? [] : [`  key : ${template.key}`]),
    ...choiceLines(template.choices),
    ...template.implements.map((ref) => `  implements ${ref}`),
  ].join('\n');
}

function interfaceText(definition: InterfaceDescription): string {
  return [
    `interface ${definition.interfaceId}`,
    ...(definition.view === null ? [] : [`  view : ${definition.view}`]),
    ...choiceLines(definition.choices),
    ...definition.requires.map((ref) => `  requires ${ref}`),
  ].join('\n');
}

function diffText(diff: UpgradeDiff): string {
  const name = (each: UpgradeDiff['older']) =>
    `${each.name ?? '-'} ${each.version ?? '-'} (${each.packageId})`;
  const lines = [`${name(diff.older)}\n→ ${name(diff.newer)}`, ''];
  if (diff.changes.length === 0) lines.push('no change that concerns contracts');
  else {
    const rows = diff.changes.map((change) => [
      change.compatible ? 'ok' : 'NOT OK',
      change.code,
      change.place,
      change.before ?? '',
      change.after ?? '',
    ]);
    lines.push(renderTable(['', 'change', 'place', 'before', 'after'], rows));
  }
  lines.push('', diff.compatible ? 'compatible: a valid upgrade' : 'incompatible: not a valid upgrade');
  return lines.join('\n');
}
