// The workspace's import table (who may use whom), checked in every test run. One line per violation, exit 1 if any.
// usage: node scripts/check-imports.mjs [folder of the workspace]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The packages that each package may import; `outside` narrows what else it may, besides what it declares. */
const TABLE = {
  contracts: { packages: [], outside: ['zod'] },
  config: { packages: [], outside: ['zod', 'node:os', 'node:path'] },
  store: { packages: ['contracts'] },
  queue: { packages: ['contracts', 'store'] },
  search: { packages: ['contracts'] },
  telemetry: { packages: ['config'] },
  process: { packages: [] },
  testkit: { packages: ['process'] },
};
/** An app uses packages, never another app; testkit is for tests. */
const FOR_APPS = { packages: Object.keys(TABLE).filter((name) => name !== 'testkit') };

/** Only these read the environment; everything else is given a Config. */
const READS_ENVIRONMENT = /^(apps\/[^/]+\/src\/main\.ts|packages\/(config|testkit)\/src\/.*)$/;

const IMPORTS = [
  /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^[ \t]*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
  /\brequire\(\s*['"]([^'"]+)['"]/g,
];

/** @returns one line per violation, in the order of the folders */
export function findViolations(root) {
  return members(root).flatMap((member) => [
    ...checkManifest(member),
    ...sourcesIn(join(member.path, 'src')).flatMap((file) => checkSource(root, member, file)),
    ...sourcesIn(join(member.path, 'test')).flatMap((file) => checkTest(root, member, file)),
  ]);
}

function members(root) {
  return ['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).flatMap((name) => {
      const path = join(root, kind, name);
      if (!existsSync(join(path, 'package.json'))) return [];
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
      const rule = kind === 'apps' ? FOR_APPS : TABLE[name];
      return [{ name, label: `${kind}/${name}`, path, manifest, rule }];
    }),
  );
}

function checkManifest({ label, manifest, rule }) {
  if (!rule) return [`${label}: is not in the import table (scripts/check-imports.mjs)`];
  return Object.keys(manifest.dependencies ?? {}).flatMap((dependency) => {
    const name = ownName(dependency);
    return name === undefined || rule.packages.includes(name)
      ? []
      : [`${label}/package.json: may not depend on ${dependency}`];
  });
}

function checkSource(root, member, file) {
  const text = readFileSync(file, 'utf8');
  const label = relative(root, file).split(sep).join('/');
  const violations = importsOf(text).flatMap((specifier) => {
    const reason = reasonAgainst(specifier, member, file);
    return reason === undefined ? [] : [`${label}: ${reason}`];
  });
  if (!READS_ENVIRONMENT.test(label) && readsEnvironment(text)) {
    violations.push(`${label}: reads process.env; only a main.ts may, and hands a Config on`);
  }
  return violations;
}

/** Tests may use any package, but not the inside of another one. */
function checkTest(root, member, file) {
  const label = relative(root, file).split(sep).join('/');
  return importsOf(readFileSync(file, 'utf8')).flatMap((specifier) => {
    if (specifier.startsWith('.') && !isInside(member.path, resolve(dirname(file), specifier))) {
      return [`${label}: ${specifier} leaves the package`];
    }
    return isDeep(specifier) ? [`${label}: ${specifier} is the inside of another package`] : [];
  });
}

function reasonAgainst(specifier, { name, path, manifest, rule }, file) {
  if (specifier.startsWith('.')) {
    return isInside(join(path, 'src'), resolve(dirname(file), specifier)) ? undefined : `${specifier} leaves src`;
  }
  const own = ownName(specifier);
  if (own !== undefined) {
    if (own === 'testkit') return '@ruyi/testkit is for tests only';
    if (isDeep(specifier)) return `${specifier} is the inside of another package`;
    if (!rule?.packages.includes(own)) return `${name} may not import @ruyi/${own}`;
  }
  const allowed = rule?.outside;
  if (own === undefined && allowed && !allowed.includes(specifier)) return `${name} may not import ${specifier}`;
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return undefined;
  const packageName = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  return packageName in declared ? undefined : `${packageName} is not in the dependencies of its package.json`;
}

const importsOf = (text) => [
  ...new Set(IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, specifier]) => specifier))),
];

/** `store` of `@ruyi/store` and `@ruyi/store/…` */
const ownName = (specifier) => /^@ruyi\/([^/]+)/.exec(specifier)?.[1];
const isDeep = (specifier) => /^@ruyi\/[^/]+\//.test(specifier);
const isInside = (folder, path) => `${path}${sep}`.startsWith(`${folder}${sep}`);

const readsEnvironment = (text) =>
  text.split('\n').some((line) => /\bprocess\s*\.\s*env\b/.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line));

const sourcesIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .map((name) => join(folder, String(name)))
        .filter((file) => /\.[cm]?tsx?$/.test(file))
        .sort()
    : [];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const violations = findViolations(resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..')));
  for (const line of violations) console.error(line);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
