import { matcherOf } from '@ruyi/search';
import { describe, expect, test } from 'vitest';
import { type TextCase, textCases } from './contract/textCases.ts';
import { asked, folded } from './contract/textOracle.ts';

const shown = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

describe.each(Object.entries(textCases))('the contract suite: %s', (_, rows) => {
  test.each(rows.map(([text, query, found]: TextCase) => [shown(query), shown(text), { text, query, found }] as const))(
    '%s in %s',
    (_query, _text, { text, query, found }) => {
      expect(matcherOf(query)(text) !== undefined).toBe(found);
      expect(asked(query)(folded(text)) !== undefined).toBe(found);
    },
  );
});
