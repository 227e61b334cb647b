/**
 * The currencies that prices are quoted in, for symbols whose exchange does not say how they split. A quote that is not
 * among them is left out.
 */

// biome-ignore format: a list reads better on few lines
const FIAT = [
  'USD', 'EUR', 'GBP', 'JPY', 'KRW', 'AUD', 'CAD', 'CHF', 'TRY', 'BRL', 'ARS', 'COP', 'MXN', 'IDR', 'PLN', 'RON', 'CZK',
  'UAH', 'ZAR', 'NGN', 'RUB', 'INR', 'SGD', 'HKD', 'AED', 'THB', 'VND', 'PHP', 'NZD', 'SEK', 'NOK', 'DKK', 'KZT',
];

// biome-ignore format: a list reads better on few lines
const STABLECOINS = [
  'USDT', 'USDC', 'FDUSD', 'RLUSD', 'PYUSD', 'AUSD', 'BUSD', 'TUSD', 'GUSD', 'USDP', 'USDE', 'USDG', 'USDD', 'USDQ',
  'USDR', 'USDS', 'USD1', 'USDK', 'UST', 'DAI', 'EURC', 'EURI', 'EURQ', 'EURR', 'AEUR', 'EURT', 'BIDR', 'BRZ', 'XUSD',
];

const COINS_QUOTED_IN = [
  'BTC',
  'XBT',
  'ETH',
  'BNB',
  'SOL',
  'XRP',
  'TRX',
  'DOGE',
  'MNT',
  'DOT',
  'KCS',
  'HT',
  'OKB',
];

// biome-ignore format: a list reads better on few lines
const OTHER_COINS = [
  'AAVE', 'ADA', 'ALGO', 'APT', 'ARB', 'ATOM', 'AVAX', 'BAT', 'BCH', 'BNT', 'CAKE', 'COMP', 'CRV', 'DASH', 'EOS', 'ETC',
  'FET', 'FIL', 'FTM', 'FTT', 'GALA', 'GRT', 'HBAR', 'HNT', 'ICP', 'INJ', 'JUP', 'KAVA', 'KSM', 'LDO', 'LINA', 'LINK',
  'LTC', 'LUNA', 'MANA', 'MATIC', 'MINA', 'MKR', 'MLN', 'MON', 'MONA', 'NEAR', 'NEO', 'ONDO', 'OP', 'PAXG', 'PEPE', 'POL',
  'QNT', 'REP', 'RUNE', 'SAND', 'SEI', 'SHIB', 'SNX', 'STETH', 'STX', 'SUI', 'SUSHI', 'TIA', 'TON', 'UNI', 'VET', 'WBTC',
  'WIF', 'XDG', 'XLM', 'XMR', 'XTZ', 'YFI', 'ZEC', 'ZRX',
];

const MONEY = new Set([...FIAT, ...STABLECOINS]);
const COINS = new Set([...COINS_QUOTED_IN, ...OTHER_COINS]);

export const QUOTES: readonly string[] = [...FIAT, ...STABLECOINS, ...COINS_QUOTED_IN];

/** A national currency or a coin pegged to one. */
export const isMoney = (currency: string) => MONEY.has(currency);
export const isKnownCurrency = (currency: string) => MONEY.has(currency) || COINS.has(currency);
