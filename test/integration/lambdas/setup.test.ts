import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { TICKER_FIELDS } from '../../../core/market/ticker-fields.ts';
import { clearTickers, openSearch, services } from '../services.ts';
import { startSetup } from './handlers.ts';
import { deadAddress, startFlakyWire } from './local-servers.ts';

const TEMPLATE = 'crypto-market-insights-tickers';
const TEMPLATES = ['tickers', 'candles', 'moves', 'summaries-state'].map(
  (name) => `crypto-market-insights-${name}`,
);

afterEach(async () => {
  vi.unstubAllEnvs();
  await clearTickers();
});
afterAll(async () => {
  await openSearch.close();
});

const template = async () => (await openSearch.indices.getIndexTemplate({ name: TEMPLATE })).body;

describe('the setup function', () => {
  it('puts the index templates, and changes nothing the second time', async () => {
    const setup = await startSetup();
    expect(await setup('Create')).toEqual({
      PhysicalResourceId: 'crypto-market-insights-setup',
      Data: { templates: TEMPLATES.join() },
    });
    const before = await template();
    await setup('Update');
    expect(await template()).toEqual(before);
  });

  it('makes OpenSearch map a new monthly index as designed', async () => {
    await (await startSetup())();
    await openSearch.indices.create({ index: 'tickers-2031.05' });
    const { body } = await openSearch.indices.get({ index: 'tickers-2031.05' });
    const index = body['tickers-2031.05'];
    expect(index?.mappings?.dynamic).toBe('false');
    expect(index?.mappings?.properties).toMatchObject({
      symbol: { type: 'keyword', fields: { keyword: { type: 'keyword' } } },
      timestamp: { type: 'date' },
      last_price: { type: 'double' },
      price_24h_pcnt: { type: 'double' },
    });
    expect(Object.keys(index?.mappings?.properties ?? {})).toEqual(
      expect.arrayContaining(Object.keys(TICKER_FIELDS)),
    );
    expect(index?.settings?.index).toMatchObject({
      derived_source: { enabled: 'true' },
      refresh_interval: '1s',
    });
  });

  it('leaves the templates in place on deletion', async () => {
    const setup = await startSetup();
    await setup('Create');
    await setup('Delete');
    expect(await template()).toMatchObject({ index_templates: [{ name: TEMPLATE }] });
  });

  it('waits for an OpenSearch that is still starting', async () => {
    const wire = await startFlakyWire(services.openSearch, 2);
    try {
      expect(await (await startSetup(wire.url))()).toMatchObject({ Data: { templates: TEMPLATES.join() } });
    } finally {
      await wire.close();
    }
  });

  it('fails if OpenSearch cannot be reached', async () => {
    const setup = await startSetup(`http://${await deadAddress()}`);
    await expect(setup('Create', 5_500)).rejects.toMatchObject({
      name: 'SetupError',
      message: expect.stringMatching(/^OpenSearch did not accept the index template .*ECONNREFUSED/),
    });
  });
});
