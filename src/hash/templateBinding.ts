/**
 * What hashing and checking a contract needs to know of its template: hash headers and, when a package is at hand, the
 * types. Made once per template, package name and representative package, then found by the contract's own bytes.
 */
import type { BlobView } from '../contract/blob.js';
import { checkPackageName, representativeProblem, soundTemplateId } from '../contract/blobNames.js';
import { packagesToTry } from '../dar/packageChoice.js';
import type { PackageSet, TypeRef } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { PlanCompiler, type TemplatePlan } from '../typed/typePlan.js';
import { newWords, sameWords, wordsOf } from '../wire/sameBytes.js';
import { contractHashHeader, type HashMethod, keyHashHeader } from './contractHash.js';

/** Which package the types were taken from. An import would use the representative one and no other. */
export type TypeSource = 'representative' | 'creation' | 'sameName';

export interface TemplateTypes {
  readonly plan: TemplatePlan;
  readonly packageId: string;
  readonly source: TypeSource;
}

export class TemplateBinding {
  readonly packageName: string;
  /** The template of creation. */
  readonly template: TypeRef;
  /** Representative package id, or the creation package's when the record names none. */
  readonly representativePackageId: string;
  /** Absent when no fitting package is at hand, or when `problem` says why it does not fit. */
  readonly types: TemplateTypes | null;
  /** The representative package is at hand and cannot represent the contract. */
  readonly problem: AcsError | null;
  private readonly headers: Partial<Record<HashMethod, DataView>> = {};
  private keyHeader: DataView | null = null;

  constructor(
    packageName: string,
    template: TypeRef,
    representativePackageId: string,
    types: TemplateTypes | null,
    problem: AcsError | null,
  ) {
    this.packageName = packageName;
    this.template = template;
    this.representativePackageId = representativePackageId;
    this.types = types;
    this.problem = problem;
  }

  contractHashHeader(method: HashMethod): DataView {
    let header = this.headers[method];
    if (header === undefined) {
      header = newWords(contractHashHeader(method, this.packageName, this.template));
      this.headers[method] = header;
    }
    return header;
  }

  get keyHashHeader(): DataView {
    this.keyHeader ??= newWords(keyHashHeader(this.packageName, this.template));
    return this.keyHeader;
  }
}

/** Templates of a well-behaved file are few; a hostile one must not fill the memory. */
const MAX_BINDINGS = 20_000;
const MAX_RECENT = 8;

/** A binding, and what a contract must hold for it. */
interface Recent {
  binding: TemplateBinding;
  representativePackageId: string;
  name: DataView;
  template: DataView;
}

function isOf({ name, template, representativePackageId }: Recent, view: BlobView, representative: string) {
  const { buf, templateStart, templateEnd, packageNameStart, packageNameEnd } = view;
  const words = wordsOf(buf);
  return (
    templateEnd - templateStart === template.byteLength &&
    packageNameEnd - packageNameStart === name.byteLength &&
    sameWords(words, templateStart, templateEnd, template, 0) &&
    sameWords(words, packageNameStart, packageNameEnd, name, 0) &&
    representativePackageId === representative
  );
}

/** Finds the binding of each contract. */
export class TemplateBinder {
  private readonly packages: PackageSet;
  private readonly compiler: PlanCompiler;
  private readonly known = new Map<string, TemplateBinding>();
  /** Those bound last, found without making a text of their bytes. */
  private readonly recent: Recent[] = [];

  constructor(packages: PackageSet) {
    this.packages = packages;
    this.compiler = new PlanCompiler(packages);
  }

  /**
   * `representativePackageId` is that of the record; empty means the creation package.
   * Errors: `BLOB_UNKNOWN_FIELD`, `BLOB_BAD_TEMPLATE_ID`, `BLOB_BAD_PACKAGE_NAME`, `RECORD_BAD_PACKAGE_ID`.
   */
  bind(view: BlobView, representativePackageId: string): TemplateBinding {
    for (const recent of this.recent) {
      if (isOf(recent, view, representativePackageId)) return recent.binding;
    }
    const { buf } = view;
    const name = buf.toString('latin1', view.packageNameStart, view.packageNameEnd);
    const template = buf.toString('latin1', view.templateStart, view.templateEnd);
    const key = `${name}\0${template}\0${representativePackageId}`;
    let binding = this.known.get(key);
    if (binding === undefined) {
      binding = this.make(view, representativePackageId);
      if (this.known.size >= MAX_BINDINGS) this.known.clear();
      this.known.set(key, binding);
    }
    this.recent.unshift({
      binding,
      representativePackageId,
      name: newWords(Buffer.from(name, 'latin1')),
      template: newWords(Buffer.from(template, 'latin1')),
    });
    if (this.recent.length > MAX_RECENT) this.recent.pop();
    return binding;
  }

  private make(view: BlobView, representative: string): TemplateBinding {
    checkPackageName(view.buf, view.packageNameStart, view.packageNameEnd);
    const { packageName } = view;
    const { packageId, moduleName, entityName } = soundTemplateId(
      view.buf,
      view.templateStart,
      view.templateEnd,
    );
    const template = { packageId, module: moduleName, name: entityName };
    const problem = representativeProblem(representative);
    if (problem !== undefined) throw problem;
    const wanted = representative === '' ? template.packageId : representative;
    if (this.packages.get(wanted) !== undefined) {
      return this.bindTo(packageName, template, wanted);
    }
    return new TemplateBinding(packageName, template, wanted, this.fallback(packageName, template), null);
  }

  private bindTo(packageName: string, template: TypeRef, wanted: string): TemplateBinding {
    let problem: AcsError | null = null;
    let types: TemplateTypes | null = null;
    try {
      const plan = this.compiler.template(wanted, `${template.module}:${template.name}`);
      if (plan.packageName !== packageName) {
        problem = new AcsError('PACKAGE_NAME_DIFFERS', 'the representative package has another name', {
          expected: packageName,
          found: plan.packageName ?? 'no name',
          path: 'package_name',
        });
      }
      types = { plan, packageId: wanted, source: 'representative' };
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      problem = error.locate({ path: '' });
    }
    return new TemplateBinding(packageName, template, wanted, types, problem);
  }

  /** Types that give the same hash when the packages are proper upgrades of each other. */
  private fallback(packageName: string, template: TypeRef): TemplateTypes | null {
    for (const { packageId } of packagesToTry(this.packages, { creation: template.packageId, packageName })) {
      try {
        const plan = this.compiler.template(packageId, `${template.module}:${template.name}`);
        if (plan.packageName !== packageName) continue;
        return { plan, packageId, source: packageId === template.packageId ? 'creation' : 'sameName' };
      } catch (error) {
        // This package does not know the template: try the next one.
        if (!(error instanceof AcsError)) throw error;
      }
    }
    return null;
  }
}
