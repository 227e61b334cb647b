"""Answers the questions of a case with pandas, numpy, scipy and empyrical, for referees.test.ts to compare.

Reads cases as JSON from stdin and writes one answer per case. A case names a file of data/, a symbol, a window
[from, to), thresholds, horizons in hours, and percents. docs/definitions.md has the definitions.
"""

import json
import sys

import empyrical
import numpy as np
import pandas as pd
from scipy import stats

HOURS_PER_YEAR = 8766
TOLERANCE = 1e-12
PATH_MINUTES = {1: [0, 20, 40, 59], 24: [0, 480, 960, 1439]}


def iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def read(file, symbol):
    frame = pd.read_csv(file, parse_dates=["start"])
    return frame[frame.symbol == symbol].set_index("start").sort_index()


def number(value):
    return None if value is None or not np.isfinite(value) else float(value)


def average(window, hours):
    mean = window[["open", "high", "low", "close"]].mean(axis=1)
    typical = window[["high", "low", "close"]].mean(axis=1)
    last = window.close.iloc[-1]
    first_open = lambda rule, **how: window.open.resample(rule, **how).first().dropna()
    weeks = first_open("W-MON", closed="left", label="left")
    return {
        "mean": mean.mean(),
        "min": window.low.min(),
        "max": window.high.max(),
        "first": window.open.iloc[0],
        "last": last,
        "change": last / window.open.iloc[0] - 1,
        "hours": len(window) * hours,
        "priceQuantiles": {
            str(q): float(np.quantile(mean, q / 100, method="inverted_cdf")) for q in [5, 25, 50, 75, 95]
        },
        "shareBelowLast": (mean < last).mean(),
        "vwap": {"price": np.average(typical, weights=window.volume), "volumeCoverage": 1},
        "dca": {
            "hourly": stats.hmean(mean),
            "daily": stats.hmean(first_open("D")),
            "weekly": stats.hmean(weeks),
        },
    }


def path_of(frame, hours):
    minutes = PATH_MINUTES[hours]
    rising = frame.close >= frame.open
    points = [frame.open, frame.low.where(rising, frame.high), frame.high.where(rising, frame.low), frame.close]
    parts = [
        pd.Series(prices.to_numpy(), frame.index + pd.Timedelta(minutes=offset))
        for prices, offset in zip(points, minutes)
    ]
    return pd.concat(parts).sort_index()


def directional_changes(path, threshold):
    """Guillaume et al. 1997, with the extremes of before the first confirmation kept on both sides."""
    moves, mode, high, low = [], None, None, None
    for time, price in zip(path.index, path.to_numpy()):
        if mode != "down" and high and 1 - price / high[1] >= threshold - TOLERANCE:
            direction, origin = "fall", high
        elif mode != "up" and low and price / low[1] - 1 >= threshold - TOLERANCE:
            direction, origin = "rise", low
        else:
            if high is None or price > high[1]:
                high = (time, price)
            if low is None or price < low[1]:
                low = (time, price)
            continue
        if moves:
            before = moves[-1]
            before["to"] = origin
            before["size"] = abs(origin[1] / before["from"][1] - 1)
        moves.append({"direction": direction, "from": origin, "confirmed": time})
        high = low = (time, price)
        mode = "up" if direction == "rise" else "down"
    return moves


def direction_moves(moves, direction, threshold, start, end):
    ours = [m for m in moves if m["direction"] == direction and start <= m["confirmed"] < end]
    confirmed = pd.Series([m["confirmed"] for m in ours], dtype="datetime64[ns, UTC]")
    waits = confirmed.diff().dropna() / pd.Timedelta(hours=1)
    done = [m for m in ours if "size" in m]
    sizes = np.array([m["size"] for m in done])
    durations = pd.Series([(m["to"][0] - m["from"][0]) / pd.Timedelta(hours=1) for m in done], dtype=float)
    return {
        "count": len(ours),
        "perDay": len(ours) / ((end - start) / pd.Timedelta(days=1)),
        "meanSize": number(sizes.mean()) if len(sizes) else None,
        "maxSize": number(sizes.max()) if len(sizes) else None,
        "medianWaitHours": number(waits.median()),
        "p90WaitHours": number(waits.quantile(0.9)),
        "medianDurationHours": number(durations.median()),
        "meanOvershoot": number((sizes - threshold).mean()) if len(sizes) else None,
        "hoursSinceLast": (end - confirmed.iloc[-1]) / pd.Timedelta(hours=1) if len(ours) else None,
    }


def exceedances(frame, hours, threshold, start, end):
    changes = frame.close[:0]
    if hours == 1:
        changes = frame.close.asfreq("h").pct_change(fill_method=None).dropna()
    days = frame.close.resample("D").last().pct_change(fill_method=None).dropna()
    within = lambda series: series[(series.index >= start) & (series.index < end)]
    up = lambda series: int((within(series) >= threshold - TOLERANCE).sum())
    down = lambda series: int((within(series) <= -threshold + TOLERANCE).sum())
    return {"hoursUp": up(changes), "hoursDown": down(changes), "daysUp": up(days), "daysDown": down(days)}


def moves(frame, hours, case, start, end):
    path = path_of(frame, hours)
    answers = []
    for threshold in case["thresholds"]:
        found = directional_changes(path, threshold)
        answers.append(
            {
                "threshold": threshold,
                "rises": direction_moves(found, "rise", threshold, start, end),
                "falls": direction_moves(found, "fall", threshold, start, end),
                **exceedances(frame, hours, threshold, start, end),
            }
        )
    return {"thresholds": answers, "horizons": [horizon(frame, hours, h, case, start, end) for h in case["horizons"]]}


def share(count, n):
    if n == 0:
        return None, None, None
    bounds = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    return count / n, bounds.low, bounds.high


def horizon(frame, hours, h, case, start, end):
    step = pd.Timedelta(hours=h)
    ends = frame.index + pd.Timedelta(hours=hours)
    closes = pd.Series(frame.close.to_numpy(), ends)
    highs = pd.Series(frame.high.to_numpy(), ends)
    lows = pd.Series(frame.low.to_numpy(), ends)
    grid = [t for t in ends if t.value % step.value == 0 and t - step in closes.index]
    grid = [t for t in grid if start <= t - pd.Timedelta(hours=hours) < end]
    before = np.array([closes[t - step] for t in grid])
    after = np.array([closes[t] for t in grid])
    highest = np.array([highs[t - step + pd.Timedelta(1) : t].max() for t in grid])
    lowest = np.array([lows[t - step + pd.Timedelta(1) : t].min() for t in grid])
    n, counts = len(grid), []
    for threshold in case["thresholds"]:
        up = int((after / before - 1 >= threshold - TOLERANCE).sum())
        down = int((after / before - 1 <= -threshold + TOLERANCE).sum())
        one = {"threshold": threshold, "up": up, "down": down}
        one["upShare"], one["upLow"], one["upHigh"] = share(up, n)
        one["downShare"], one["downLow"], one["downHigh"] = share(down, n)
        one["touchedUp"] = int((highest / before - 1 >= threshold - TOLERANCE).sum())
        one["touchedDown"] = int((lowest / before - 1 <= -threshold + TOLERANCE).sum())
        counts.append(one)
    return {"horizon": f"{h}h", "n": n, "thresholds": counts}


def volatility(frame, hours, start, end):
    step = pd.Timedelta(hours=hours)
    before = frame.close.shift().where(frame.index.to_series().diff() == step)
    returns = np.log(frame.close / before)
    inside = (frame.index >= start) & (frame.index < end)
    window, returned = frame[inside], inside & returns.notna()
    r = returns[returned]
    per_year = HOURS_PER_YEAR / hours
    range_squared = np.log(window.high / window.low) ** 2
    body_squared = np.log(window.close / window.open) ** 2
    full, n = frame[returned], len(r)
    jump = np.log(full.open / before[returned])
    body, up, down = (np.log(full[each] / full.open) for each in ["close", "high", "low"])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    rogers_satchell = (up * (up - body) + down * (down - body)).mean()
    days = frame.resample("D").agg({"high": "max", "low": "min", "close": "last"})
    closed = days.close.shift()
    true_range = np.maximum(days.high, closed) - np.minimum(days.low, closed)
    in_days = (days.index >= start) & (days.index < end) & days.close.notna() & closed.notna()
    daily = np.log(days.close / closed)[in_days]
    return {
        "volatility": empyrical.annual_volatility(r, annualization=per_year),
        "returns": n,
        "rangeFraction": window.high.max() / window.low.min() - 1,
        "parkinson": np.sqrt(range_squared.mean() / (4 * np.log(2)) * per_year),
        "garmanKlass": np.sqrt((range_squared / 2 - (2 * np.log(2) - 1) * body_squared).mean() * per_year),
        "yangZhang": np.sqrt((jump.var() + k * body.var() + (1 - k) * rogers_satchell) * per_year),
        "realised": np.sqrt((r**2).mean() * per_year),
        "downside": empyrical.downside_risk(r, required_return=0, annualization=per_year),
        "ewma": np.sqrt((daily**2).ewm(alpha=0.06, adjust=False).mean().iloc[-1] * 365.25),
        "atrFraction": true_range[in_days].mean() / window.close.iloc[-1],
    }


def drawdown(window, hours):
    path = path_of(window, hours)
    under = path / path.cummax() - 1
    # An episode begins at the last price that stood at its high.
    at_high = under == 0
    episodes = []
    for _, part in under.groupby(at_high.cumsum()):
        if len(part) == 1:
            continue
        peak_time, trough_time = part.index[0], part.idxmin()
        later = under.index[under.index > part.index[-1]]
        episodes.append(
            {
                "fraction": part.min(),
                "peakPrice": path[peak_time],
                "peakTime": iso(peak_time),
                "troughPrice": path[trough_time],
                "troughTime": iso(trough_time),
                "recoveredTime": iso(later[0]) if len(later) else None,
            }
        )
    episodes.sort(key=lambda each: each["fraction"])
    deepest = empyrical.max_drawdown(path.pct_change().dropna())
    assert abs(deepest - episodes[0]["fraction"]) < 1e-9, (deepest, episodes[0])
    last_high = path.index[at_high][-1]
    return {
        "max": episodes[0],
        "current": under.iloc[-1],
        "daysUnderWater": (path.index[-1] - last_high) / pd.Timedelta(days=1),
        "worst": episodes[:5],
    }


def returns(frame, hours, by, start, end):
    rule = {"day": "D", "month": "MS", "quarter": "QS", "year": "YS"}[by]
    closes = frame.close.resample(rule).last()
    changes = closes.pct_change(fill_method=None)
    covered = frame.close.resample(rule).count() * hours
    lengths = (closes.index.shift(1) - closes.index) / pd.Timedelta(hours=1)
    kept = (closes.index >= start) & (closes.index < end) & closes.notna()
    told = changes[kept].dropna()
    extreme = lambda time: None if time is None else {"start": iso(time), "return": told[time]}
    return {
        "periods": [
            {"start": iso(time), "return": number(changes[time]), "coverage": min(1, covered[time] / length)}
            for time, length in zip(closes.index[kept], lengths[kept])
        ],
        "best": extreme(told.idxmax() if len(told) else None),
        "worst": extreme(told.idxmin() if len(told) else None),
        "positiveShare": number((told > 0).mean()) if len(told) else None,
    }


def percentiles(frame, case, start, end):
    before = frame.close.reindex(frame.index - pd.Timedelta(hours=24)).to_numpy()
    changes = (frame.close / before - 1)[(frame.index >= start) & (frame.index < end)].dropna()
    return {
        "samples": len(changes),
        "effectiveSamples": (end - start) / pd.Timedelta(days=1),
        "percentiles": {str(p): np.percentile(changes, p) for p in case["percents"]},
    }


def correlate(case, start, end):
    daily = {symbol: read(case["file"], symbol).close.resample("D").last() for symbol in case["symbols"]}
    logs = pd.DataFrame({symbol: np.log(closes).diff() for symbol, closes in daily.items()})
    logs = logs[(logs.index >= start) & (logs.index < end)].dropna()
    first = logs[case["symbols"][0]]
    return {
        "days": len(logs),
        "pearson": logs.corr().to_numpy().tolist(),
        "spearman": logs.corr(method="spearman").to_numpy().tolist(),
        "beta": [stats.linregress(first, logs[symbol]).slope for symbol in case["symbols"]],
    }


def answer(case):
    start, end = (pd.Timestamp(case[edge]) for edge in ["from", "to"])
    if "symbols" in case:
        return {"correlate": correlate(case, start, end)}
    hours = case["hours"]
    frame = read(case["file"], case["symbol"])
    window = frame[(frame.index >= start) & (frame.index < end)]
    return {
        "average": average(window, hours),
        "moves": moves(frame, hours, case, start, end),
        "volatility": volatility(frame, hours, start, end),
        "drawdown": drawdown(window, hours),
        "returns": {by: returns(frame, hours, by, start, end) for by in ["day", "month", "quarter", "year"]},
        "percentiles": percentiles(frame, case, start, end),
    }


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout, default=float)
