/*
 * page.js: a page between those before and those after it.  Loaded when the view is
 * opened.
 */
import { t, metricName } from './texts.js';
import { h, put, show, plain, label, getReport, reportAddress } from './base.js';
import { fill, pageName } from './draw.js';

const base = state => ({ idsite: state.site, from: state.from, to: state.to, visitors: state.visitors === 'all' ? '' : state.visitors, filter: state.filter });

/* So many rows of a side are there at once. */
const SHOWN = 15;

/* A row's name: a page leads to its own transitions. */
function name(row, by, state) {
	const words = row.kind === 'page' && by === 'url' ? pageName(row.name, state) : row.kind === 'download' || row.kind === 'outlink' ? label('url', row.name) : row.name;

	if (row.kind === 'page' && row.name !== null)
		return h('a', { href: state.href({ [by]: row.name }) }, words);
	return words;
}

function side(which, rows, by, csv, state, go) {
	const all = state.own['all.' + which] === '1', most = Math.max(...rows.map(r => r.nb_hits), 1), title = t('side', which);
	const shown = all ? rows : rows.slice(0, SHOWN);
	const table = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': title }, h('table', null,
		h('thead', null, h('tr', null, h('th', { scope: 'col' }, t('transition')), h('th', { scope: 'col', class: 'n' }, metricName('nb_hits')), h('th', { scope: 'col', class: 'n' }, t('share')))),
		h('tbody', null, shown.map(row => h('tr', null, h('th', { scope: 'row', class: 'label' }, row.name === null ? t('transition of', row.kind) : [name(row, by, state), row.kind === 'page' ? null : h('span', { class: 'soft' }, t('transition of', row.kind))]),
			h('td', { class: 'n bar' }, h('span', { class: 'fill', 'aria-hidden': 'true' }), h('span', { class: 'value' }, show('nb_hits', row.nb_hits))), h('td', { class: 'n' }, show('rate', row.rate)))))));

	[...table.querySelectorAll('.fill')].forEach((bar, i) => { bar.style.width = shown[i].nb_hits / most * 100 + '%'; });
	return h('section', { class: 'panel', 'data-panel': which }, h('header', null, h('h2', null, title), csv(title)), rows.length ? table : h('p', { class: 'empty' }, t('empty')),
		rows.length > SHOWN ? h('div', { class: 'pager' }, h('button', { type: 'button', 'aria-pressed': String(all), onclick: () => go({ ['all.' + which]: all ? '' : '1' }) }, t('all rows', plain(rows.length)))) : null);
}

/* The pages with most views, to choose one of. */
async function choices(state, body) {
	await fill(body, state, async () => {
		const { rows } = await getReport('pages', Object.assign(base(state), { limit: 20 }), state.signal);

		return h('section', { class: 'panel wide' }, h('header', null, h('h2', null, t('choose page'))), rows.length ? h('ul', { class: 'choices-list' }, rows.map(r =>
			h('li', null, h('a', { href: state.href({ url: r.url, title: '' }) }, pageName(r.url, state)), ' ', h('span', { class: 'change' }, t('views of', plain(r.nb_hits)))))) : h('p', { class: 'empty' }, t('empty')));
	});
}

export async function transitions(state, main, go) {
	const by = state.own.title && !state.own.url ? 'title' : 'url', chosen = state.own[by] || '';
	const kind = h('select', { 'aria-label': t('page by') }, ['url', 'title'].map(x => h('option', { value: x, selected: x === by }, t('page by ' + x))));
	const input = h('input', { type: 'text', value: chosen, spellcheck: 'false', required: true, 'aria-label': t('page'), placeholder: 'https://' });
	const body = h('div', null, h('p', { class: 'loading' }, t('loading')));

	main.append(h('form', { class: 'row page-form', onsubmit: e => { e.preventDefault(); go({ url: '', title: '', [kind.value]: input.value.trim() }); } }, kind, input, h('button', { type: 'submit' }, t('show'))), body);
	if (!chosen)
		return choices(state, body);
	return fill(body, state, async () => {
		const asked = Object.assign(base(state), { [by]: chosen }), { rows } = await getReport('transitions', Object.assign({ limit: 1000 }, asked), state.signal);
		const of = which => rows.filter(r => r.side === which), page = of('page')[0], count = (which, kinds) => of(which).filter(r => kinds.includes(r.kind)).reduce((n, r) => n + r.nb_hits, 0);
		const began = of('before').filter(r => !['page', 'search', 'reload'].includes(r.kind)).reduce((n, r) => n + r.nb_hits, 0);

		/* one file has all sides */
		const csv = title => h('a', { class: 'csv', download: 'transitions.csv', href: reportAddress('transitions', Object.assign({ format: 'csv' }, asked)), 'aria-label': t('csv of', title) }, t('csv'));

		if (!page || !page.nb_hits)
			return h('p', { class: 'empty' }, t('no views', chosen));
		return [h('section', { class: 'panel wide', 'data-panel': 'page' }, h('header', null, h('h2', null, by === 'url' ? pageName(chosen, state) : chosen),
			csv(t('view', 'transitions'))),
		h('dl', { class: 'figures' }, [['nb_hits', page.nb_hits], ['began here', began], ['reloads', count('after', ['reload'])], ['ended here', count('after', ['exit'])]].map(([c, n]) =>
			h('div', null, h('dt', null, c === 'nb_hits' ? metricName(c) : t(c)), h('dd', { 'data-metric': c }, plain(n)))))),
		h('div', { class: 'panels' }, side('before', of('before'), by, csv, state, go), side('after', of('after'), by, csv, state, go))];
	});
}
