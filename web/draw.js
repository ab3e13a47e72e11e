/*
 * draw.js: what a view is made of: tiles, graph, panels with their tables.  Each asks
 * for its own rows, so that one that fails takes no other along.
 */
import { t, metricName } from './texts.js';
import { h, put, show, label, showDays, showWeekday, plain, changeOf, kindOf, shift, addMonths, addDays, periodAround, daysBetween,
	condition, conditions, both, getReport, reportAddress } from './base.js';
import { PANELS } from './panels.js';

/* ---- what a report is asked ---- */

/* The days compared with, or null. */
export function compared(state) {
	switch (state.compare) {
		case 'previous': return shift([state.from, state.to], -1);
		case 'year': return [addMonths(state.from, -12), addMonths(state.to, -12)];
		default: return null;
	}
}

const base = (state, [from, to], more = '') => ({ idsite: state.site, from, to, visitors: state.visitors === 'all' ? '' : state.visitors, filter: both(state.filter, more) });

/* The grain of the graph: as asked, else by the number of days. */
export const GRAINS = ['hour', 'day', 'week', 'month', 'quarter', 'year'];

export function grainOf(state) {
	const days = daysBetween(state.from, state.to) + 1;

	if (GRAINS.includes(state.by) && (state.by !== 'hour' || days <= 31))
		return state.by;
	return days <= 2 ? 'hour' : days <= 92 ? 'day' : days <= 366 ? (state.period === 'year' ? 'month' : 'week') : 'month';
}

/* ---- a frame in which something can fail ---- */

/*
 * Fills an element with what make(signal) gives; says that it loads, and what went
 * wrong, in it alone.
 */
export async function fill(where, state, make) {
	where.setAttribute('aria-busy', 'true');
	try {
		const made = await make(state.signal);

		if (!state.signal.aborted)
			put(where, made);
	} catch (e) {
		if (e.name !== 'AbortError' && !state.signal.aborted)
			put(where, h('div', { class: 'problem', role: 'alert' }, h('p', null, h('strong', null, t('failed')), ' ', e.message),
				h('button', { type: 'button', onclick: () => fill(where, state, make) }, t('again'))));
	}
	if (!state.signal.aborted)
		where.removeAttribute('aria-busy');
}

const loading = () => h('p', { class: 'loading' }, t('loading'));

/* Calls make() once the element is on the screen, or is to be printed. */
function whenSeen(element, state, make) {
	const seen = new IntersectionObserver(entries => {
		if (entries.some(e => e.isIntersecting)) {
			stop();
			make();
		}
	}, { rootMargin: '50px' });
	const print = () => { stop(); make(); };
	const stop = () => { seen.disconnect(); window.removeEventListener('beforeprint', print); };

	seen.observe(element);
	window.addEventListener('beforeprint', print);
	state.signal.addEventListener('abort', stop);
}

/* ---- tiles ---- */

export async function totals(report, state) {
	const other = compared(state) || shift([state.from, state.to], -1);
	const [now, before] = await Promise.all([[state.from, state.to], other].map(days =>
		getReport(report, Object.assign(base(state, days), { period: 'range' }), state.signal)));

	return { now: now.rows[0] || {}, before: before.rows[0] || {}, other };
}

/* The tiles of a view: its totals with their change; a click shows the number in the graph. */
export function tiles(view, state, go) {
	const where = h('section', { class: 'tiles', 'aria-label': t('view', state.view) }, loading());
	const report = view.graph || 'visits';

	fill(where, state, async () => {
		const { now, before, other } = await totals(report, state);

		if (report === 'visits' && !now.nb_visits)
			state.onQuiet();
		return view.tiles.map(column => h('button', { type: 'button', class: 'tile', 'data-metric': column, 'aria-pressed': String((state.metric || view.tiles[0]) === column),
			onclick: () => go({ metric: column === view.tiles[0] ? '' : column }) },
		h('span', { class: 'name' }, metricName(column, report)),
		h('span', { class: 'number' }, show(column, now[column], state.currency)),
		changeOf(column, now[column], before[column], state.currency),
		h('span', { class: 'then' }, t('versus', other[0] === other[1] ? showDay(other[0]) : showDays(other)))));
	});
	return where;
}

/* ---- graph ---- */

/* The name of a row of a report by periods. */
function periodName(row, grain) {
	switch (grain) {
		case 'hour': return row.hour;
		case 'day': return showWeekday(row.first_day);
		case 'week': return showDays([row.first_day, row.last_day]);
		case 'month': return showDays(periodAround('month', row.first_day));
		case 'quarter': return showDays([row.first_day, row.last_day]);
		default: return row.first_day.slice(0, 4);
	}
}

/* Hours have a first day and an instant; days of clock changes have 23 or 25 of them. */
function nameHours(rows, zone) {
	const clock = new Intl.DateTimeFormat(navigator.languages, { timeZone: zone, hour: '2-digit', minute: '2-digit' });
	const several = rows.length && rows[0].first_day !== rows[rows.length - 1].first_day;

	for (const row of rows)
		row.hour = (several ? showWeekday(row.first_day) + ', ' : '') + clock.format(new Date(row.begins));
}

let chartLibrary = null;

/* Chart.js, when the first graph is drawn. */
function library() {
	chartLibrary = chartLibrary || new Promise((done, failed) => document.head.append(
		h('script', { src: '/web/lib/chart.umd.min.js', onload: () => done(window.Chart), onerror: () => { chartLibrary = null; failed(new Error(t('no answer'))); } })));
	return chartLibrary;
}

/* A colour of the style sheet, as the graph needs it. */
function colour(name) {
	const probe = h('span', { class: 'colour-' + name });

	document.body.append(probe);
	const found = getComputedStyle(probe).color;

	probe.remove();
	return found;
}

const seriesColours = ['line', 'second', 'third', 'fourth'];

function options(columns, state, names, zoom) {
	const text = colour('soft'), grid = colour('grid'), still = matchMedia('(prefers-reduced-motion: reduce)').matches || navigator.webdriver;

	return {
		responsive: true, maintainAspectRatio: false, animation: still ? false : { duration: 200 },
		interaction: { mode: 'index', intersect: false },
		onClick: (event, items) => items.length && zoom(items[0].index),
		onHover: (event, items) => event.native && event.native.target.classList.toggle('zooms', items.length > 0),
		plugins: {
			legend: { display: columns.length > 1 || Boolean(state.compare), labels: { color: text, boxWidth: 12, boxHeight: 12 } },
			tooltip: { callbacks: { label: item => item.dataset.label + ': ' + show(item.dataset.column, item.raw, state.currency) } }
		},
		scales: {
			x: { stacked: columns.length > 1, grid: { display: false }, border: { color: grid }, ticks: { color: text, maxRotation: 0, autoSkip: true, autoSkipPadding: 16, maxTicksLimit: 12 } },
			y: { stacked: columns.length > 1, beginAtZero: true, border: { display: false }, grid: { color: grid }, ticks: { color: text, maxTicksLimit: 5, callback: value => show(columns[0], value, state.currency),
				precision: kindOf(columns[0]) === 'count' ? 0 : undefined } }
		}
	};
}

/*
 * Draws numbers by periods: a graph into o.area, which compares o.columns, if it is one,
 * with the days of compared(), and o.columns, or o.listed, as a table into o.table.
 * o.ask(days): the rows; o.zoom(days): shows a row's days, NULL if that cannot be.
 */
export function drawPeriods(o, state) {
	const { columns, grain, report, title } = o, other = columns.length > 1 ? null : compared(state);

	return fill(o.area, state, async () => {
		const [rows, before, Chart] = await Promise.all([o.ask([state.from, state.to]), other && o.ask(other), library()]);

		if (grain === 'hour')
			nameHours(rows, state.zone);
		const names = rows.map(row => periodName(row, grain));
		const zoomOf = i => {
			if (!o.zoom || grain === 'hour' || !rows[i])
				return null;
			const { first_day: first, last_day: last } = rows[i];

			return () => o.zoom(['day', 'month', 'year'].includes(grain) ? { period: grain, date: first } : { period: 'range', date: first, to: last });
		};
		const sets = columns.map((column, i) => ({ label: metricName(column, report), column, data: rows.map(row => row[column]),
			colours: [seriesColours[i], columns.length > 1 ? seriesColours[i] : 'area'], fill: true, borderWidth: 2, pointRadius: rows.length > 60 ? 0 : 2, pointHoverRadius: 5, tension: 0 }));

		if (before)
			sets.push({ label: t('compared', showDays(other)), column: columns[0], data: rows.map((row, i) => before[i] ? before[i][columns[0]] : null),
				colours: ['soft', 'nothing'], borderDash: [4, 4], borderWidth: 2, pointRadius: 0, fill: false, tension: 0 });
		const bars = columns.length > 1 || rows.length === 1;
		const canvas = h('canvas', { role: 'img', 'aria-label': t('graph of', title, showDays([state.from, state.to])) });

		put(o.table, graphTable(names, rows, o.listed || columns, columns[0], before, zoomOf, report, state));
		/* Chart.js measures the canvas where it stands */
		setTimeout(() => {
			if (state.signal.aborted)
				return;
			const looks = () => options(columns, state, names, i => { const zoom = zoomOf(i); if (zoom) zoom(); });
			const paint = () => sets.forEach(set => { [set.borderColor, set.backgroundColor] = set.colours.map(colour); });

			paint();
			const chart = new Chart(canvas, { type: bars ? 'bar' : 'line', data: { labels: names, datasets: sets }, options: looks() });

			/* paper is light */
			window.addEventListener('colours', () => { paint(); chart.options = looks(); chart.update('none'); }, { signal: state.signal });
			state.signal.addEventListener('abort', () => chart.destroy());
		});
		return h('div', { class: 'canvas-inner' }, canvas);
	});
}

/* The graph of a report by periods, and its numbers as a table. */
export function graph(view, state, go) {
	const columns = view.stack && !state.metric ? view.stack : [state.metric && view.tiles.includes(state.metric) ? state.metric : view.tiles[0]];
	const grain = grainOf(state);
	const title = columns.length > 1 ? t('panel', view.graph) : metricName(columns[0], view.graph);
	const area = h('div', { class: 'canvas' }, loading());
	const table = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('graph of', title, t('table')) });
	const where = h('section', { class: 'panel wide graph', 'data-panel': 'graph' },
		h('header', null, h('h2', null, title),
			h('label', { class: 'inline' }, t('grain'), h('select', { onchange: e => go({ by: e.target.value }) },
				GRAINS.filter(g => g !== 'hour' || daysBetween(state.from, state.to) < 31).map(g => h('option', { value: g, selected: g === grain }, t('grain ' + g))))),
			h('a', { class: 'csv', href: reportAddress(view.graph, Object.assign(base(state, [state.from, state.to]), { period: grain, format: 'csv' })), download: view.graph + '.csv', 'aria-label': t('csv of', title) }, t('csv'))),
		area, h('details', null, h('summary', null, t('table')), table));

	drawPeriods({ area, table, report: view.graph, columns, grain, title, zoom: to => go(Object.assign({ to: '', by: '' }, to)),
		ask: days => getReport(view.graph, Object.assign(base(state, days), { period: grain, limit: 1000 }), state.signal).then(answer => answer.rows) }, state);
	return where;
}

function graphTable(names, rows, columns, first, before, zoomOf, report, state) {
	return h('table', null, h('thead', null, h('tr', null, h('th', { scope: 'col' }, t('period')), columns.map(c => h('th', { scope: 'col', class: 'n' }, metricName(c, report))),
		before && h('th', { scope: 'col', class: 'n' }, t('before period')))),
	h('tbody', null, rows.map((row, i) => h('tr', null,
		h('th', { scope: 'row' }, zoomOf(i) ? h('button', { type: 'button', class: 'link', onclick: zoomOf(i) }, names[i]) : names[i]),
		columns.map(c => h('td', { class: 'n' }, show(c, row[c], state.currency))),
		before && h('td', { class: 'n' }, before[i] ? show(first, before[i][first], state.currency) : '–')))));
}

/* ---- panels ---- */

/* Of an action "no value" would mean that the visit has no such action at all. */
const ofAction = /^(event|content|page|download|outlink|siteSearch|product)/;

/* The conditions that a click on a row adds, or ''. */
export function narrowing(panel, row) {
	if (panel.narrow)
		return panel.narrow(row);
	const made = Object.entries(panel.filter || {}).map(([column, dimensions]) => {
		const value = panel.words && panel.words[column] ? panel.words[column](row[column]) : row[column];
		const named = [].concat(dimensions).filter(d => value !== null || !panel.ofAction && !ofAction.test(d));

		/* a country that is not known is stored as none, or as xx */
		return named.flatMap(d => d === 'countryCode' && value === 'xx' ? [condition(d, 'xx'), condition(d, null)] : condition(d, value)).join(',');
	});

	return both(panel.and, made.filter(Boolean).join(';'));
}

/* A filter with further conditions, each of them once. */
export const withConditions = (filter, more) => [...new Set([...conditions(filter), ...conditions(more)])].join(';');

const titleOf = (name, it) => it.title || t('panel', name);
const keyOf = (panel, row) => Object.keys(panel.labels).map(c => row[c]).join('\u0000');

/*
 * A panel: a heading, the rows of its report as a table with bars, pages of rows, and
 * a CSV of all.  shown: the columns that are enough here; it: the panel, if it is none
 * of panels.js.
 */
export function panel(name, shown, state, go, it = PANELS[name]) {
	const report = it.report || name, title = titleOf(name, it), all = it.all || state.own['all.' + name] === '1';
	const few = shown || it.columns.slice(0, Math.max(2, 5 - Object.keys(it.labels).length)), columns = all ? it.columns : few;
	const rowsShown = it.rows || 10;
	const own = { sort: state.own['sort.' + name], skip: Math.max(0, parseInt(state.own['skip.' + name], 10) || 0) };
	const sort = own.sort || '';			/* else the report's own order */
	const asked = days => {
		const made = Object.assign(base(state, days, it.where), it.args, it.grain ? { period: gridGrain(state) } : null, it.folders ? { folder: state.own['folder.' + name] || '' } : null);

		return it.takes ? Object.fromEntries(Object.entries(made).filter(([key]) => it.takes.includes(key))) : made;
	};
	const body = h('div', { class: 'body', 'aria-busy': 'true' }, loading());
	const where = h('section', { class: all ? 'panel all' : 'panel', 'data-panel': name, 'aria-labelledby': 'panel-' + name },
		h('header', null, h('h2', { id: 'panel-' + name }, title),
			few.length < it.columns.length && !it.all ? h('button', { type: 'button', 'aria-pressed': String(all), 'aria-label': t('all columns of', title), onclick: () => go({ ['all.' + name]: all ? '' : '1' }) }, t('all columns')) : null,
			h('a', { class: 'csv', href: reportAddress(report, Object.assign(asked([state.from, state.to]), { sort, format: 'csv' })), download: name + '.csv', 'aria-label': t('csv of', title) }, t('csv'))),
		body);

	whenSeen(where, state, () => fill(body, state, async () => {
		const other = compared(state);
		const [{ rows, more }, before] = await Promise.all([
			getReport(report, Object.assign(asked([state.from, state.to]), { sort, limit: it.series ? 400 : rowsShown, offset: own.skip || '' }), state.signal),
			other && !it.series ? getReport(report, Object.assign(asked(other), { limit: 1000 }), state.signal) : null]);

		if (!rows.length && !own.skip)
			return [crumbs(name, it, state, go), h('p', { class: 'empty' }, state.filter ? t('empty filter') : t('empty'))];
		const earlier = before && new Map(before.rows.map(row => [keyOf(it, row), row]));

		return [crumbs(name, it, state, go), table(name, it, columns, rows, earlier, sort, state, go), pager(name, title, own.skip, rows.length, more, rowsShown, go)];
	}));
	return where;
}

/* Tables have no row for each hour of a month. */
const gridGrain = state => { const grain = grainOf(state); return grain === 'hour' && daysBetween(state.from, state.to) > 1 ? 'day' : grain === 'hour' ? 'day' : grain; };

/* The way back out of folders. */
function crumbs(name, it, state, go) {
	const folder = it.folders && state.own['folder.' + name];

	if (!folder)
		return null;
	const parts = folder.split('/').filter(Boolean);

	return h('p', { class: 'crumbs' }, h('button', { type: 'button', class: 'link', onclick: () => go({ ['folder.' + name]: '' }) }, t('all folders')),
		parts.map((part, i) => [' / ', i < parts.length - 1 ? h('button', { type: 'button', class: 'link',
			onclick: () => go({ ['folder.' + name]: (folder.startsWith('/') ? '/' : '') + parts.slice(0, i + 1).join('/') + '/', ['skip.' + name]: '' }) }, part) : part]));
}

function pager(name, title, skip, count, more, rowsShown, go) {
	if (!skip && !more)
		return null;
	const to = n => go({ ['skip.' + name]: n > 0 ? n : '' }, name);

	return h('div', { class: 'pager' }, h('span', null, t('rows', plain(skip + 1), plain(skip + count))),
		h('button', { type: 'button', disabled: !skip, 'aria-label': t('previous rows', title), onclick: () => to(skip - rowsShown) }, t('previous')),
		h('button', { type: 'button', disabled: !more, 'aria-label': t('next rows', title), onclick: () => to(skip + rowsShown) }, t('next')));
}

function heading(name, it, column, sort, isNumber, go) {
	const direction = sort === column ? 'ascending' : sort === '-' + column ? 'descending' : null;
	const of = column === 'label' && it.args ? t('label', it.args.dimension) : null;
	const words = isNumber ? metricName(column, it.report || name) : of && of !== it.args.dimension ? of : t('label', column);

	return h('th', { scope: 'col', class: isNumber ? 'n' : column === Object.keys(it.labels)[0] ? '' : 'further', 'aria-sort': direction },
		h('button', { type: 'button', class: 'sort', title: t('sort by', words), onclick: () => go({ ['sort.' + name]: direction === 'descending' || !direction && !isNumber ? column : '-' + column, ['skip.' + name]: '' }, name) },
			words, direction ? h('span', { 'aria-hidden': 'true' }, direction === 'ascending' ? ' ▲' : ' ▼') : null));
}

function table(name, it, columns, rows, earlier, sort, state, go) {
	const bars = columns[0], most = Math.max(...rows.map(row => Math.abs(row[bars] || 0)), 0);
	const names = Object.entries(it.labels);
	const title = titleOf(name, it);

	/* reports have an order of their own, most of them by the first number */
	if (!sort && bars && rows.every((row, i) => !i || rows[i - 1][bars] >= row[bars]) && !it.series)
		sort = '-' + bars;
	return h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('graph of', title, t('table')) },
		h('table', null, h('thead', null, h('tr', null, names.map(([column]) => heading(name, it, column, sort, false, go)), columns.map(column => heading(name, it, column, sort, true, go)))),
			h('tbody', null, rows.map(row => {
				const adds = it.folders || state.isPublic ? '' : narrowing(it, row), before = earlier && (earlier.get(keyOf(it, row)) || {});
				const narrow = () => go({ filter: withConditions(state.filter, adds), ...Object.fromEntries(Object.keys(state.own).filter(k => k.startsWith('skip.')).map(k => [k, ''])) });
				const made = h('tr', adds ? { class: 'narrows', onclick: e => e.target.closest('a, button') || String(getSelection()) || narrow() } : null,
					names.map(([column, how], i) => rowLabel(name, it, row, column, i, how, adds, narrow, state, go)),
					columns.map((column, i) => h('td', { class: i ? 'n' : 'n bar' }, i ? null : h('span', { class: 'fill', 'aria-hidden': 'true' }),
						h('span', { class: 'value' }, show(column, row[column], state.currency)),
						before && !i ? changeOf(column, row[column], before[column] || 0, state.currency) : null)));

				const fill = made.querySelector('.fill');

				if (fill) {
					fill.style.width = (most ? Math.abs(row[bars] || 0) / most * 100 : 0) + '%';
					fill.hidden = !row[bars];
				}
				return made;
			}))));
}

function rowLabel(name, it, row, column, i, how, adds, narrow, state, go) {
	const words = wordsFor(how, row[column], state);
	const absent = row[column] === null || row[column] === '';
	let inner = h('span', { class: 'clip' }, words);

	if (it.folders && row.is_folder)
		inner = h('button', { type: 'button', class: 'link clip', onclick: () => go({ ['folder.' + name]: row.path, ['skip.' + name]: '' }, name) }, words);
	else if (adds && !i)
		inner = h('button', { type: 'button', class: 'link clip', onclick: narrow }, words);
	return h(i ? 'td' : 'th', { scope: i ? null : 'row', class: (absent ? 'label absent' : 'label') + (i ? ' further' : ''), title: words.length > 30 ? String(row[column]) : null },
		inner, i ? null : [tools(it, name, row, words, state), beneath(it, row, state)]);
}

/* The further labels of a row beneath its first one, where the screen has no room for their columns. */
function beneath(it, row, state) {
	const others = Object.entries(it.labels).slice(1).map(([column, how]) => wordsFor(how, row[column], state));

	return others.length ? h('span', { class: 'beneath' }, others.join(' · ')) : null;
}

const wordsFor = (how, value, state) => how === 'goal' ? goalName(value, state) : how === 'page' ? pageName(value, state) : label(how, value);

/* What else there is of a row: its page itself, what came before and after it, and its numbers over time. */
function tools(it, name, row, words, state) {
	const tool = (tag, text, sign, more) => h(tag, Object.assign({ class: 'tool', title: t(text), 'aria-label': t('tool of', t(text), words) }, more), sign);
	const url = it.opens && /^https?:\/\//.test(row[it.opens] || '') ? row[it.opens] : null;

	return h('span', { class: 'tools' }, url ? tool('a', 'open page', '↗', { href: url, target: '_blank', rel: 'noreferrer noopener' }) : null,
		it.flow && row[it.flow] && !state.isPublic ? tool('a', 'before and after', '⇄', { href: state.href({ view: 'transitions', url: '', title: '', [it.flow]: row[it.flow] }) }) : null,
		state.isPublic || it.series || it.still ? null : tool('button', 'over time', '∿', { type: 'button', onclick: () => state.openRow(it.report || name, Object.assign({}, it.args, it.folders && state.own['folder.' + name] ? { folder: state.own['folder.' + name] } : null), row) }));
}

/* An address of the website: without its host, if that is the first of the website's own. */
export function pageName(url, state) {
	const words = label('url', url), own = (state.siteRow.urls || [])[0], host = own ? label('url', own).replace(/\/.*/, '') : '';

	return host && words.startsWith(host + '/') ? words.slice(host.length) : words;
}

/* Goals are numbers in most reports; the view fetches their names once. */
export const goalName = (number, state) => number === null ? t('all goals') : number === 0 ? t('orders') : number === -1 ? t('cart') : state.goals && state.goals[number] || t('goal number', number);
