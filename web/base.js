/*
 * base.js: what all other modules use: elements, dates, numbers, the address, the API.
 *
 * Nothing here or elsewhere makes HTML of a text: what comes from data goes into text
 * nodes, and only the attributes that h() is given by name.
 */
import { t, metricName } from './texts.js';

/* ---- elements ---- */

/*
 * An element.  Members of props that begin with "on" are listeners, "class" is the
 * class name, others are attributes; false and null leave one out.  Children are
 * elements, texts, lists of them, or null.
 */
export function h(tag, props, ...children) {
	const made = document.createElement(tag);

	for (const [name, value] of Object.entries(props || {}))
		if (name.startsWith('on'))
			made.addEventListener(name.slice(2), value);
		else if (value !== false && value !== null && value !== undefined)
			made.setAttribute(name, value === true ? '' : value);
	made.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false).map(c => c instanceof Node ? c : String(c)));
	return made;
}

export const put = (where, ...children) => {
	where.replaceChildren(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false));
	return where;
};

/* ---- days: texts such as 2026-11-30, counted without a time zone ---- */

const asDate = day => new Date(day + 'T00:00:00Z');
const asDay = date => date.toISOString().slice(0, 10);

export const addDays = (day, n) => asDay(new Date(asDate(day).getTime() + n * 86400000));
export const daysBetween = (a, b) => Math.round((asDate(b) - asDate(a)) / 86400000);

/* The same day n months later, or the last one of that month. */
export function addMonths(day, n) {
	const date = asDate(day), number = date.getUTCDate();

	date.setUTCDate(1);
	date.setUTCMonth(date.getUTCMonth() + n);
	const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

	date.setUTCDate(Math.min(number, last));
	return asDay(date);
}

const monthBegin = day => day.slice(0, 8) + '01';
const monthEnd = day => addDays(addMonths(monthBegin(day), 1), -1);
const weekBegin = day => addDays(day, -((asDate(day).getUTCDay() + 6) % 7));

export function todayOf(zone) {
	try {
		return new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(new Date());
	} catch (e) {					/* a zone that the browser does not know */
		return asDay(new Date());
	}
}

/* First and last day of the period of this kind that the day is in. */
export function periodAround(kind, day) {
	switch (kind) {
		case 'week': return [weekBegin(day), addDays(weekBegin(day), 6)];
		case 'month': return [monthBegin(day), monthEnd(day)];
		case 'year': return [day.slice(0, 4) + '-01-01', day.slice(0, 4) + '-12-31'];
		default: return [day, day];
	}
}

/* The days n periods later: whole months stay whole months. */
export function shift([from, to], n) {
	if (from === monthBegin(from) && to === monthEnd(to)) {
		const months = (to.slice(0, 4) - from.slice(0, 4)) * 12 + (to.slice(5, 7) - from.slice(5, 7)) + 1;

		return [addMonths(from, n * months), monthEnd(addMonths(from, n * months + months - 1))];
	}
	const days = daysBetween(from, to) + 1;

	return [addDays(from, n * days), addDays(to, n * days)];
}

/* ---- how numbers, days and words look ---- */

const locale = navigator.languages;
const formats = {};
const format = (key, make) => formats[key] = formats[key] || make();
const number = (value, options) => format(JSON.stringify(options), () => new Intl.NumberFormat(locale, options)).format(value);
const date = (value, options) => format('d' + JSON.stringify(options), () => new Intl.DateTimeFormat(locale, options)).format(value);

/* What a column counts, by its name: that is how the reports are named. */
export function kindOf(column) {
	if (/(_rate|_rate_new_visit|_rate_returning_visit|_percentage|_evolution)$|^rate$/.test(column))
		return 'percent';
	if (/revenue|price/.test(column))
		return 'money';
	if (/^(avg|median|p95)_(time_(network|server|transfer|dom|on_load)|page_load)/.test(column))
		return 'seconds';
	if (/(^avg_time_on_|time$|_length$|^sum_time_spent)/.test(column))
		return 'duration';
	return /_per_|^avg_|_event_value$/.test(column) ? 'mean' : 'count';
}

export function duration(seconds) {
	const whole = Math.round(seconds), hours = Math.floor(whole / 3600), two = n => String(n).padStart(2, '0');

	return (hours ? hours + ':' + two(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)) + ':' + two(whole % 60);
}

export function show(column, value, currency) {
	if (value === null || value === undefined)
		return '–';
	switch (kindOf(column)) {
		case 'percent': return number(value / 100, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
		case 'money': return money(value, currency);
		case 'seconds': return t('seconds', number(value, { maximumFractionDigits: 2, minimumFractionDigits: 2 }));
		case 'duration': return duration(value);
		case 'mean': return number(value, { minimumFractionDigits: /_per_|^avg_/.test(column) ? 1 : 0, maximumFractionDigits: 1 });
		default: return number(value, { maximumFractionDigits: 0 });
	}
}

function money(value, currency) {
	try {
		return number(value, { style: 'currency', currency: currency || 'USD', currencyDisplay: 'narrowSymbol' });
	} catch (e) {					/* no code of three letters */
		return number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
	}
}

export const plain = value => number(value, {});
const long = { timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric' };

export const showDay = day => date(asDate(day), long);
export const showWeekday = day => date(asDate(day), { timeZone: 'UTC', weekday: 'short', day: 'numeric', month: 'short' });

export function showDays([from, to]) {
	if (from === to)
		return date(asDate(from), { timeZone: 'UTC', weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
	if (from.endsWith('-01-01') && to === from.slice(0, 4) + '-12-31')
		return from.slice(0, 4);
	if (from === monthBegin(from) && to === monthEnd(from))
		return date(asDate(from), { timeZone: 'UTC', month: 'long', year: 'numeric' });
	return format('range', () => new Intl.DateTimeFormat(locale, long)).formatRange(asDate(from), asDate(to));
}

/* An instant without a time zone, as the reports write times by the site's clock. */
export const showTime = text => date(new Date(text + 'Z'), { timeZone: 'UTC', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const showClock = text => date(new Date(text + 'Z'), { timeZone: 'UTC', hour: '2-digit', minute: '2-digit', second: '2-digit' });

const displayNames = kind => format('n' + kind, () => new Intl.DisplayNames(locale, { type: kind, fallback: 'code' }));

function named(kind, code) {
	try {
		return displayNames(kind).of(code) || code;
	} catch (e) {					/* no code */
		return code;
	}
}

/* A label of a row, by the way in which panels.js says that it looks. */
export function label(how, value) {
	if (value === null || value === undefined || value === '')
		return t('no value');
	switch (how) {
		case 'country': return value === 'xx' ? t('unknown') : named('region', String(value).toUpperCase());
		case 'language': return value === 'xx' ? t('unknown') : named('language', value);
		case 'url': return String(value).replace(/^https?:\/\/(www\.)?/, '');
		case 'hour': return String(value).padStart(2, '0') + ':00';
		case 'day': return showDay(value);
		case 'word': return t('word', value);
		default: return typeof value === 'object' ? JSON.stringify(value) : String(value);
	}
}

/* The change from one number to another in per cent; growth from nothing is 100, as in report_sites(). */
export const change = (now, before) => before ? (now - before) / Math.abs(before) * 100 : now ? 100 : 0;

/*
 * The change to an earlier number as an element: arrow, per cent, and the earlier number as
 * its title.  A mean or a rate of nothing cannot be compared.
 */
export function changeOf(column, now, before, currency) {
	if (now === null || before === null || before === undefined || now === undefined || !before !== !now && !['count', 'money'].includes(kindOf(column)))
		return h('span', { class: 'change' }, '–');
	const percent = Math.round(change(now, before) * 10) / 10;
	const good = /bounce|abandoned|anonymous|no_result|exit/.test(column) ? -percent : percent;

	return h('span', { class: 'change ' + (good > 0 ? 'up' : good < 0 ? 'down' : ''), title: t('before', metricName(column), show(column, before, currency)) },
		h('span', { 'aria-hidden': 'true' }, percent > 0 ? '▲ ' : percent < 0 ? '▼ ' : '= '),
		number(percent / 100, { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' }));
}

/*
 * Where hits go: the address that was typed in last, in this browser.  The daemon that
 * serves the pages takes none, and does not know the one that does.
 */
export const TRACKER = 'https://stats.example.org/';

export function tracker(typed) {
	try {
		if (typed)
			localStorage.setItem('tracker', typed);
		return localStorage.getItem('tracker') || TRACKER;
	} catch (e) {					/* the browser keeps nothing */
		return typed || TRACKER;
	}
}

/* ---- the address: all that is on the page is in it ---- */

export const KINDS = ['day', 'week', 'month', 'year', 'range'];

/* The parameters of the address as a plain object; those that come more than once as lists. */
export function readAddress() {
	const given = new URLSearchParams(location.search), read = {};

	for (const name of new Set(given.keys()))
		read[name] = name === 'step' ? given.getAll(name) : given.get(name);
	return read;
}

export function addressOf(parameters) {
	const made = new URLSearchParams();

	for (const [name, value] of Object.entries(parameters))
		for (const one of Array.isArray(value) ? value : [value])
			if (one !== null && one !== undefined && one !== '')
				made.append(name, one);
	return '/?' + made.toString().replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%2F/g, '/');
}

/* ---- filters ---- */

/* The conditions that ";" joins. */
export const conditions = filter => (filter || '').split(';').filter(Boolean);
export const condition = (dimension, value) => dimension + '==' + (value === null || value === undefined ? '' : encodeURIComponent(value));
export const both = (a, b) => [a, b].filter(Boolean).join(';');

/* A condition in words; several of which one will do are joined by "or".  dimensions: the website's own. */
export const readCondition = (text, dimensions) => text.split(',').map(one => readOne(one, dimensions)).join(t('or'));

const decoded = text => {
	try {
		return decodeURIComponent(text);
	} catch (e) {					/* as it is written */
		return text;
	}
};

function readOne(text, dimensions = []) {
	if (text.startsWith('@'))
		return t('named', text.slice(1));
	const [, name, operator, value] = /^([^=!<>]+)(==|!=|=@|!@|=\^|!\^|=\$|!\$|>=|<=|>|<)([^]*)$/.exec(text) || [];

	if (!name)
		return text;
	let plainValue = decoded(value);

	if (operator === '==' || operator === '!=')
		plainValue = plainValue === '' ? t('nothing') : label({ countryCode: 'country', languageCode: 'language', pageUrl: 'url' }[name], plainValue);
	const own = dimensions.find(d => 'dimension' + d.iddimension === name);

	return t('condition', own ? own.name : t('dimension', name), t('operator', operator), plainValue);
}

/* ---- the API ---- */

export class Problem extends Error {
	constructor(status, detail) {
		super(detail);
		this.status = status;
	}
}

let csrf = '';

export const setCsrf = token => { csrf = token || ''; };
export const onLogOut = { call: null };

async function ask(path, options) {
	let answer, body = null;

	try {
		answer = await fetch(path, Object.assign({ credentials: 'same-origin', headers: { Accept: 'application/json' } }, options));
	} catch (e) {
		if (e.name === 'AbortError')
			throw e;
		throw new Problem(0, t('no answer'));
	}
	try {
		body = await answer.json();
	} catch (e) { /* none, or no JSON */ }
	if (!answer.ok) {
		if (answer.status === 401 && onLogOut.call && !/\/login$/.test(path))
			onLogOut.call();
		throw new Problem(answer.status, [body && (body.detail || body.title), body && body.hint].filter(Boolean).join(' ') || t('status', answer.status));
	}
	return body || {};
}

const withQuery = (path, parameters) => {
	const made = new URLSearchParams();

	for (const [name, value] of Object.entries(parameters))
		for (const one of Array.isArray(value) ? value : [value])
			if (one !== null && one !== undefined && one !== '')
				made.append(name, one);
	return path + (made.size ? '?' + made : '');
};

export const reportAddress = (name, parameters) => withQuery('/api/' + name, parameters);
export const getReport = (name, parameters, signal) => ask(reportAddress(name, parameters), { signal });
export const get = (path, parameters = {}) => ask(withQuery('/api/' + path, parameters));

/* The name of a report: that of its panel, or its own in words. */
export const nameOf = report => {
	const words = t('panel', report);

	return words === report ? report.replace(/_/g, ' ').replace(/^./, c => c.toUpperCase()) : words;
};

let reports = null;

/* The reports that there are, by name, as GET /api/ tells them; asked once. */
export const catalog = () => reports = reports || get('').then(all => new Map(all.reports.map(r => [r.name, r])), e => { reports = null; throw e; });

/* The columns by which a report names a row: those before its first number. */
export function labelsOf(report) {
	const first = report.columns.findIndex(c => c.type === 'bigint' || c.type === 'numeric');

	return report.columns.slice(0, Math.max(first, 0)).map(c => c.name).filter(c => !['first_day', 'last_day', 'begins'].includes(c));
}

export const post = (path, body) => ask('/api/' + path, { method: 'POST', body: JSON.stringify(body || {}),
	headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRF-Token': csrf } });
