import { existsSync, readdirSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { page, root } from './docs/files.ts';

/**
 * These files run elsewhere, so mistakes go unnoticed here. The tests check them for keys and names that mean
 * nothing.
 */

const yaml = (path: string): unknown => parse(page(path), { merge: true });
const names = (folder: string) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);

// The parser imports JSON without an import attribute, which Node refuses.
const IMPORT_JSON = `export const load = (url, context, next) =>
  next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context);`;
register(`data:text/javascript,${encodeURIComponent(IMPORT_JSON)}`);
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser');

/** The errors that GitHub's own parser finds in a workflow. */
async function problemsOf(content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name: 'test.yml', content }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

describe.each(names('.github/workflows'))('%s', (file) => {
  test('is a workflow', async () => {
    expect(await problemsOf(page(file))).toEqual([]);
  });

  test('is refused with an unknown key, need or context', async () => {
    expect(await problemsOf(page(file).replace('timeout-minutes:', 'timeout-minute:'))).not.toEqual([]);
    expect(await problemsOf(page(file).replace('runs-on:', 'needs: nobody\n    runs-on:'))).not.toEqual([]);
    expect(await problemsOf(page(file).replace('matrix.node', 'matrices.node'))).not.toEqual([]);
  });

  test('runs scripts that exist', () => {
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(page('package.json')));
    const run = [...page(file).matchAll(/\bnpm (?:run )?([a-z:]+)/g)].map(([, name]) => name);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(run));
  });
});

test('the search contract runs on the Meilisearch of docker-compose.yml', () => {
  const image = (path: string) => /image: (getmeili\S+)/.exec(page(path))?.[1];
  expect(image('.github/workflows/test.yml')).toBe(image('docker-compose.yml'));
});

const words = z.string().min(1);
const required = z.strictObject({ required: z.boolean() });
const field = { id: z.string().regex(/^[\w-]+$/), validations: required.optional() };
const text = { label: words, description: words.optional(), placeholder: words.optional(), value: words.optional() };

/** https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests */
const Form = z.strictObject({
  name: words,
  description: words,
  title: words.optional(),
  labels: z.array(words).optional(),
  body: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('markdown'), attributes: z.strictObject({ value: words }) }),
        z.strictObject({ type: z.literal('input'), ...field, attributes: z.strictObject(text) }),
        z.strictObject({
          type: z.literal('textarea'),
          ...field,
          attributes: z.strictObject({ ...text, render: words.optional() }),
        }),
        z.strictObject({
          type: z.literal('dropdown'),
          ...field,
          attributes: z.strictObject({
            label: words,
            description: words.optional(),
            multiple: z.boolean().optional(),
            options: z.array(words).min(1),
            default: z.number().optional(),
          }),
        }),
      ]),
    )
    .refine((body) => body.some(({ type }) => type !== 'markdown'), 'a form asks for something')
    .refine((body) => {
      const ids = body.flatMap((item) => ('id' in item ? [item.id] : []));
      return new Set(ids).size === ids.length;
    }, 'two fields have the same id'),
});
const FormConfig = z.strictObject({
  blank_issues_enabled: z.boolean(),
  contact_links: z.array(z.strictObject({ name: words, url: z.url(), about: words })).optional(),
});

test.each(names('.github/ISSUE_TEMPLATE'))('%s is an issue form', (file) => {
  const schema: z.ZodType = file.endsWith('/config.yml') ? FormConfig : Form;
  expect(schema.safeParse(yaml(file)).error?.issues).toBeUndefined();
});

/** The files from which each kind of dependency is read. */
const READ_FROM = {
  npm: 'package-lock.json',
  'github-actions': '.github/workflows',
  docker: 'Dockerfile',
  'docker-compose': 'docker-compose.yml',
};
/** https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference */
const Dependabot = z.strictObject({
  version: z.literal(2),
  updates: z.array(
    z.strictObject({
      'package-ecosystem': z.enum(['npm', 'github-actions', 'docker', 'docker-compose']),
      directory: words,
      schedule: z.strictObject({ interval: z.enum(['daily', 'weekly', 'monthly']) }),
      groups: z
        .record(
          z.string(),
          z.strictObject({
            'dependency-type': z.enum(['development', 'production']).optional(),
            'update-types': z.array(z.enum(['major', 'minor', 'patch'])).optional(),
            patterns: z.array(words).optional(),
          }),
        )
        .optional(),
    }),
  ),
});

test('.github/dependabot.yml names folders and files that exist', () => {
  const { updates } = Dependabot.parse(yaml('.github/dependabot.yml'));
  const missing = updates.filter(
    ({ directory, ...update }) => !existsSync(join(root, directory, READ_FROM[update['package-ecosystem']])),
  );
  expect(missing).toEqual([]);
  expect(updates.map((update) => update['package-ecosystem'])).toEqual(Object.keys(READ_FROM));
});
