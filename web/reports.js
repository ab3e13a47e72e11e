/*
 * reports.js: panels that are made when they are looked at: the website's custom
 * dimensions, and any report of the catalog, so that a new one needs nothing here.
 * Loaded when one of these views is opened.
 */
import { t } from './texts.js';
import { h, nameOf, catalog, labelsOf } from './base.js';
import { fill, panel } from './draw.js';
import { VISITS } from './panels.js';

/* ---- custom dimensions ---- */

const OF_ACTIONS = ['nb_hits', 'nb_visits', 'nb_uniq_visitors', 'avg_time_on_dimension', 'bounce_rate', 'exit_rate'];

/* Panels of a dimension: its values, and those of an action with their pages. */
export function panelsOf(dimension) {
	const { iddimension: n, name } = dimension, narrows = 'dimension' + n;

	return dimension.scope === 'visit' ? { [narrows]: { report: 'by', args: { dimension: narrows }, title: name, labels: { label: '' }, columns: VISITS, filter: { label: narrows }, words: { label: value => value === 'Unknown' ? null : value } } }
		: { [narrows]: { report: 'action_dimension', args: { dimension: n }, title: name, labels: { value: '' }, columns: OF_ACTIONS, filter: { value: narrows }, ofAction: true },
			[narrows + 'urls']: { report: 'action_dimension_urls', args: { dimension: n }, title: t('dimension urls', name), labels: { value: '', url: 'page' }, columns: OF_ACTIONS, filter: { value: narrows }, ofAction: true } };
}

export function dimensions(state, main, go) {
	main.append(h('div', { class: 'panels' }, state.dimensions.flatMap(d => Object.entries(panelsOf(d))).map(([name, it]) => panel(name, null, state, go, it))));
}

/* ---- any report ---- */

const LOOKS = { url: 'page', referer_url: 'url', country: 'country', language: 'language', idgoal: 'goal', referrer_type: 'word', visitor_type: 'word', first_day: 'day', last_day: 'day' };
/* What the page itself passes. */
const COMMON = ['idsite', 'from_date', 'to_date', 'period', 'visitors', 'filter'];

/* The panel that shows a report as the catalog describes it. */
export function panelFor(report, args) {
	const has = report.arguments.map(a => a.name), labels = labelsOf(report), times = report.columns.some(c => c.name === 'first_day');
	const numbers = report.columns.filter(c => c.category === 'N' && !labels.includes(c.name)).map(c => c.name);
	const others = report.columns.filter(c => !labels.includes(c.name) && !numbers.includes(c.name) && !['first_day', 'last_day', 'begins'].includes(c.name)).map(c => c.name);

	return { report: report.name, args, title: nameOf(report.name), columns: numbers, rows: 50, series: times, grain: times && has.includes('period'), still: !has.includes('from_date'), all: true,
		labels: Object.fromEntries([...times ? ['first_day'] : [], ...labels, ...others].map(c => [c, LOOKS[c] || ''])),
		takes: [...has.map(a => a.replace(/_date$/, '')), 'sort', 'limit', 'offset', 'format'] };
}

/* A field for an argument of the report's own, and how its value is read. */
function field(argument, value) {
	const many = argument.category === 'A', made = many ? h('textarea', { rows: 3, spellcheck: 'false' }) : h('input', { type: argument.category === 'N' ? 'number' : 'text', value: value || '', spellcheck: 'false', list: argument.name === 'dimension' && argument.type === 'text' ? 'all-dimensions' : null, required: !argument.default });

	if (many)
		made.value = value || '';
	return { element: h('label', { class: 'field' }, h('span', null, argument.name), made, many ? h('small', null, t('one a line')) : null), name: argument.name, value: () => made.value.trim() };
}

export async function reports(state, main, go) {
	const body = h('div', null, h('p', { class: 'loading' }, t('loading')));

	main.append(body);
	await fill(body, state, async () => {
		const all = await catalog(), chosen = all.get(state.own.report) || all.get('visits') || [...all.values()][0];
		const own = chosen.arguments.filter(a => !COMMON.includes(a.name)), given = a => state.own['arg.' + a.name];
		const fields = own.map(a => field(a, given(a)));
		const missing = own.filter(a => !a.default && !given(a)).map(a => a.name);
		const clean = Object.fromEntries(Object.keys(state.own).filter(k => /^(arg|sort|skip|all)\./.test(k)).map(k => [k, '']));
		const args = Object.fromEntries(own.filter(given).map(a => [a.name, a.category === 'A' ? JSON.stringify(given(a).split('\n').filter(Boolean)) : given(a)]));
		const choice = h('label', { class: 'field' }, h('span', null, t('report')), h('select', { onchange: e => go(Object.assign({}, clean, { report: e.target.value })) },
			[...all.values()].map(r => [nameOf(r.name), r.name]).sort((a, b) => a[0].localeCompare(b[0])).map(([words, name]) => h('option', { value: name, selected: name === chosen.name }, words))));
		const form = own.length ? h('form', { class: 'row', onsubmit: e => { e.preventDefault(); go(Object.assign({}, clean, Object.fromEntries(fields.map(f => ['arg.' + f.name, f.value()])))); } },
			fields.map(f => f.element), h('button', { type: 'submit' }, t('show'))) : null;

		return [h('section', { class: 'panel wide', 'data-panel': 'report' }, h('div', { class: 'row' }, choice, h('p', { class: 'hint' }, h('code', null, 'report_' + chosen.name), ': ', chosen.comment)), form, dimensionNames()),
			missing.length ? h('p', { class: 'empty' }, t('arguments missing', missing.join(', '))) : panel('any', null, state, go, panelFor(chosen, args))];
	});
}

const dimensionNames = () => h('datalist', { id: 'all-dimensions' }, ['continentCode', 'visitLocalHour', 'visitEndServerDayOfWeek', 'daysSinceLastVisit', 'resolution', 'browserEngine', 'networkOrganisation', 'userId', 'clientType'].map(n => h('option', { value: n })));
