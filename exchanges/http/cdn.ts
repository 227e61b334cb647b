/** A page that a network in front of an exchange answered in its place. */
export interface CdnPage {
  /** The network's name, according to its page or headers. */
  cdn: string;
  /** A page about the caller's country, rather than about what it did. */
  isAboutRegion: boolean;
  /** What the page says, without its markup. */
  text: string;
}

/** By what their pages and headers say. */
const CDNS: readonly [name: string, header: string, headerValue: RegExp, page: RegExp][] = [
  ['CloudFront', 'x-cache', /cloudfront/i, /cloudfront/i],
  [
    'Cloudflare',
    'cf-ray',
    /./,
    /cloudflare|cf-error|cf-browser-verification|challenge-platform|just a moment\.\.\./i,
  ],
  [
    'Akamai',
    'server',
    /akamai/i,
    /edgesuite\.net|akamai|you don't have permission to access[\s\S]*reference (#|&#35;)/i,
  ],
  ['Imperva', 'x-iinfo', /./, /incapsula|imperva/i],
  ['AWS WAF', 'x-amzn-waf-action', /./, /awswaf|aws-waf/i],
  ['Fastly', 'server', /fastly|varnish/i, /fastly error|varnish cache server/i],
  ['Sucuri', 'x-sucuri-id', /./, /sucuri website firewall/i],
  ['DDoS-Guard', 'server', /ddos-guard/i, /ddos-guard/i],
  ['Alibaba Cloud', 'server', /tengine|aliyun/i, /aliyun|alibaba cloud|yundun/i],
];

const ABOUT_REGION =
  /block access from your country|(your|this) (country|region|location)|restricted (location|country|region|jurisdiction)|unavailable for legal reasons|error (code:? ?)?1009|not available in|country or region/i;

/**
 * The page of a network in front of the exchange; undefined for the exchange's own answer. An HTML page of an unknown
 * network counts only if it refuses the request.
 */
export function cdnPageOf(
  status: number,
  header: (name: string) => string | undefined,
  text: string,
): CdnPage | undefined {
  if (!/^[\s\ufeff]*</.test(text) && !/^error code: \d{4}\s*$/.test(text)) return undefined;
  const byPage = CDNS.find(([, , , page]) => page.test(text));
  const byHeader = CDNS.find(([, name, value]) => value.test(header(name) ?? ''));
  const cdn = (byPage ?? byHeader)?.[0] ?? (/^error code: 1\d{3}/.test(text) ? 'Cloudflare' : undefined);
  if (cdn === undefined) return undefined;
  // The exchange's own page may pass through it.
  if (!byPage && status >= 200 && status < 300) return undefined;
  return { cdn, isAboutRegion: ABOUT_REGION.test(text), text: plainText(text) };
}

function plainText(html: string): string {
  return html
    .replace(/<(script|style)[\s\S]*?(<\/\1>|$)/gi, ' ')
    .replace(/<[^>]*>?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
}
