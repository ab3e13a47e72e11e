/*
 * row.js: a row of a panel over time, in a dialog above the view.  Loaded when the
 * first one is opened.
 */
import { t, metricName } from './texts.js';
import { h, put, label, nameOf, showDays, catalog, labelsOf, getReport } from './base.js';
import { PANELS } from './panels.js';
import { GRAINS, compared, drawPeriods, goalName, grainOf, pageName } from './draw.js';

/* The panel that shows this report with these arguments, which knows how its labels look: its name, and itself; or nothing. */
const panelOf = (report, given) => Object.entries(PANELS).find(([name, it]) => (it.report || name) === report && !it.where && Object.entries(it.args || {}).every(([k, v]) => k === 'period' || String(given[k]) === String(v))) || [];

/* What the address says of a row: its report, its labels, the report's own arguments. */
export async function rowAddress(report, given, row) {
	const { period, ...own } = given, labels = labelsOf((await catalog()).get(report)).map(c => row[c] === null || row[c] === undefined ? null : String(row[c]));

	return { row: report, of: JSON.stringify(labels), with: Object.keys(own).length ? JSON.stringify(own) : '' };
}

/* The labels of a row as they look in its panel. */
function wordsOf(columns, values, it, state) {
	return columns.map((column, i) => {
		const how = it && it.labels[column];

		if (how === undefined && it || column === 'is_folder')
			return null;
		return how === 'goal' || !it && column === 'idgoal' ? goalName(values[i] === null ? null : Number(values[i]), state) : how === 'page' ? pageName(values[i], state) : label(how, values[i]);
	}).filter(x => x !== null).join(' · ');
}

/* A text as a cell of a CSV, as api_report_copy() writes it. */
const cell = value => value === null || value === undefined ? '' : /[",\r\n]/.test(value) ? '"' + String(value).replace(/"/g, '""') + '"' : String(value);

/*
 * Opens the dialog that the address asks for.  note(changes): changes the address
 * and nothing else.
 */
export async function openRow(state, note) {
	const { own } = state, report = (await catalog()).get(own.row);

	if (!report || state.signal.aborted)
		return;
	let given = {}, values = [];

	try {
		given = JSON.parse(own.with || '{}');
		values = JSON.parse(own.of || '[]');
	} catch (e) { /* the report will say that the row is not there */ }
	const [name, it] = panelOf(own.row, given), columns = labelsOf(report);
	const numbers = report.columns.filter(c => ['bigint', 'numeric', 'integer'].includes(c.type) && !columns.includes(c.name)).map(c => c.name);
	const metrics = it ? [...it.columns, ...numbers.filter(c => !it.columns.includes(c))] : numbers;
	const shown = it ? it.columns : numbers.slice(0, 6);
	const metric = () => metrics.includes(own['row.metric']) ? own['row.metric'] : metrics[0];
	/* each period is a call of the report: no hours of weeks */
	const grains = GRAINS.filter(g => g !== 'hour' || state.from === state.to), usual = grainOf(state);
	const grain = () => grains.includes(own['row.by']) ? own['row.by'] : grains.includes(usual) ? usual : 'day';
	const title = wordsOf(columns, values, it, state) || t('no value'), kind = name ? t('panel', name) : nameOf(own.row);
	const area = h('div', { class: 'canvas' }), table = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('graph of', title, t('table')) });
	let drawing = null, lines = [];
	const choose = (name, chosen, list, words) => h('label', { class: 'inline' }, t(name), h('select', { onchange: e => { note({ [name === 'grain' ? 'row.by' : 'row.metric']: e.target.value }); draw(); } },
		list.map(x => h('option', { value: x, selected: x === chosen }, words(x)))));
	const csv = h('a', { class: 'csv', href: '#', download: own.row + '_over_time.csv', 'aria-label': t('csv of', title), onclick: () => {
		const text = [['first_day', 'last_day', ...numbers], ...lines.map(r => [r.first_day, r.last_day, ...numbers.map(n => r[n])])].map(r => r.map(cell).join(',')).join('\n') + '\n';

		csv.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
	} }, t('csv'));
	const dialog = h('dialog', { class: 'row-dialog', 'aria-labelledby': 'row-title', 'data-panel': 'row' },
		h('header', null, h('h2', { id: 'row-title' }, title, h('small', null, `${kind}, ${showDays([state.from, state.to])}`)),
			h('button', { type: 'button', class: 'close', 'aria-label': t('close'), onclick: () => dialog.close() }, '×')),
		h('div', { class: 'row' }, choose('metric', metric(), metrics, m => metricName(m, own.row)), choose('grain', grain(), grains, g => t('grain ' + g)), csv), area, table);

	function draw() {
		if (drawing)
			drawing.abort();
		drawing = new AbortController();
		const now = Object.assign({}, state, { signal: drawing.signal });

		put(area, h('p', { class: 'loading' }, t('loading')));
		return drawPeriods({ area, table, report: own.row, columns: [metric()], listed: [metric(), ...shown.filter(c => c !== metric())], grain: grain(), title,
			ask: async days => {
				const { rows } = await getReport('evolution', { idsite: state.site, from: days[0], to: days[1], report: 'report_' + own.row, labels: own.of, period: grain(), arguments: own.with,
					visitors: state.visitors === 'all' ? '' : state.visitors, filter: state.filter, limit: 1000 }, now.signal);
				const flat = rows.map(r => Object.assign({}, r, r.numbers));

				if (days[0] === state.from)
					lines = flat;
				return flat;
			} }, now);
	}
	const stop = () => { dialog.dataset.quiet = 'yes'; dialog.close(); };

	dialog.addEventListener('close', () => {
		drawing.abort();
		state.signal.removeEventListener('abort', stop);
		dialog.remove();
		if (!dialog.dataset.quiet)
			note({ row: '', of: '', with: '', 'row.metric': '', 'row.by': '' });
	});
	state.signal.addEventListener('abort', stop);
	document.body.append(dialog);
	dialog.showModal();
	await draw();
}
