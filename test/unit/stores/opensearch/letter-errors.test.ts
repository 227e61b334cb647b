import { describe, expect, it } from 'vitest';
import { bulkOutcome } from '../../../../stores/opensearch/bulk-answer.ts';
import { isTransient } from '../../../../stores/opensearch/letter-errors.ts';

describe('the error of a dead letter', () => {
  it.each([
    [400, { type: 'mapper_parsing_exception', reason: 'failed to parse: [a]' }],
    [400, { type: 'illegal_argument_exception', reason: 'Document contains at least one immense term' }],
    [413, { reason: 'too large' }],
  ])('does not pass if the bulk writer refuses the document for it: %i %o', (status, error) => {
    const refused = bulkOutcome({ status, error });
    expect(refused).toMatchObject({ kind: 'refused' });
    const { errorType: error_type, reason } = refused as { errorType: string; reason: string };
    expect(isTransient({ error_type, reason })).toBe(false);
  });

  it('does not pass if the record is no ticker', () => {
    expect(isTransient({ error_type: 'poison', reason: 'not JSON' })).toBe(false);
  });

  it.each([
    ['validation_exception', '400 validation_exception: this action would add [2] shards'],
    ['index_closed_exception', '400 index_closed_exception: closed'],
    ['illegal_argument_exception', '400 illegal_argument_exception: Limit of total fields [10] exceeded'],
  ])('may pass if it is about the index: %s', (error_type, reason) => {
    expect(isTransient({ error_type, reason })).toBe(true);
  });
});
