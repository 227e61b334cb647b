import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bulkOutcome } from '../../../../stores/opensearch/bulk-answer.ts';

describe('a bulk item’s answer', () => {
  it.each([200, 201])('%d is stored', (status) => {
    expect(bulkOutcome({ status })).toEqual({ kind: 'stored' });
  });

  it('409 is there already', () => {
    const error = { type: 'version_conflict_engine_exception', reason: 'document already exists' };
    expect(bulkOutcome({ status: 409, error })).toEqual({ kind: 'alreadyThere' });
  });

  it.each([401, 403, 408, 429, 500, 502, 503, 504])('%d is retried', (status) => {
    expect(bulkOutcome({ status, error: { type: 'busy', reason: 'queue full' } })).toEqual({
      kind: 'retry',
      reason: `${status} busy: queue full`,
    });
  });

  it.each([400, 404, 413])('%d is refused, with OpenSearch’s reason', (status) => {
    const error = {
      type: 'mapper_parsing_exception',
      reason: 'failed to parse',
      caused_by: { reason: 'For input string' },
    };
    expect(bulkOutcome({ status, error })).toEqual({
      kind: 'refused',
      errorType: 'mapper_parsing_exception',
      reason: `${status} mapper_parsing_exception: failed to parse (For input string)`,
    });
  });

  it('without a reason still has one', () => {
    expect(bulkOutcome({ status: 400 })).toEqual({
      kind: 'retry',
      reason: '400 status_400: no reason given',
    });
  });

  it('has a reason of at most 500 characters', () => {
    const error = { type: 'mapper_parsing_exception', reason: 'x'.repeat(40_000) };
    const outcomes = [400, 503].map((status) => bulkOutcome({ status, error }));
    for (const outcome of outcomes) expect(outcome).toHaveProperty('reason.length', 500);
  });

  it.each([undefined, {}])('of %j says nothing about the document, which is retried', (item) => {
    expect(bulkOutcome(item)).toEqual({
      kind: 'retry',
      reason: 'OpenSearch gave no status for the document',
    });
  });

  it('has exactly one meaning for every status and error, and blames the document only for its own', () => {
    const own = fc.constantFrom(
      'mapper_parsing_exception',
      'document_parsing_exception',
      'strict_dynamic_mapping_exception',
    );
    const about = fc.constantFrom(
      'validation_exception',
      'index_closed_exception',
      'index_not_found_exception',
      'cluster_block_exception',
      'invalid_index_name_exception',
      'illegal_argument_exception',
      'security_exception',
      'unavailable_shards_exception',
    );
    const error = fc.record({ type: fc.oneof(own, about, fc.string()), reason: fc.string() });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), error, (status, error) => {
        const isOwn = /^(mapper_parsing|document_parsing|strict_dynamic_mapping)_exception$/.test(error.type);
        const { kind } = bulkOutcome({ status, error });
        const expected =
          status >= 200 && status < 300
            ? 'stored'
            : status === 409
              ? 'alreadyThere'
              : status === 413 ||
                  (isOwn && status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status))
                ? 'refused'
                : 'retry';
        expect(kind).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});
