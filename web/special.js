/*
 * special.js: the views that are no table: now, visit log, funnel, all websites, and
 * a website that waits for its first hit.  Loaded when one of them is opened.
 */
import { t, metricName } from './texts.js';
import { h, put, show, label, plain, showTime, showClock, duration, changeOf, getReport, reportAddress, addressOf, get, condition, readCondition, tracker, TRACKER } from './base.js';
import { fill, withConditions } from './draw.js';

const base = state => ({ idsite: state.site, from: state.from, to: state.to, visitors: state.visitors === 'all' ? '' : state.visitors, filter: state.filter });
const joined = (...parts) => parts.filter(Boolean).join(' · ');

/* ---- now ---- */

const where = row => [row.location_city, row.location_country && row.location_country !== 'xx' ? label('country', row.location_country) : null].filter(Boolean).join(', ');
const device = row => [row.browser, row.os].filter(x => x && x !== 'unknown').join(', ');
const source = row => row.referrer_type ? joined(label('word', row.referrer_type), row.referer_name, row.referer_keyword) : '';

function minutes(row) {
	const most = Math.max(...row.actions_per_minute, 1);
	const bars = h('div', { class: 'minutes', role: 'img', 'aria-label': t('live minutes') }, row.actions_per_minute.map((n, i) =>
		h('span', { title: `${t('minutes ago', row.actions_per_minute.length - 1 - i)}: ${n}` })));

	[...bars.children].forEach((bar, i) => { bar.style.height = Math.max(row.actions_per_minute[i] / most * 100, 2) + '%'; });
	return bars;
}

export async function live(state, main, go) {
	const body = h('div', null, h('p', { class: 'loading' }, t('loading')));
	let paused = false, timer = null;
	const pause = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
		paused = !paused;
		pause.textContent = t(paused ? 'resume' : 'pause');
		pause.setAttribute('aria-pressed', String(paused));
		if (!paused)
			renew();
	} }, t('pause'));

	main.append(h('section', { class: 'panel wide', 'data-panel': 'live' }, h('header', null, h('h2', null, t('live now')), pause, h('a', { class: 'csv', download: 'live.csv', href: reportAddress('live', { idsite: state.site, minutes: 30, max_visits: 30, visitors: base(state).visitors, filter: state.filter, format: 'csv' }), 'aria-label': t('csv of', t('live now')) }, t('csv'))), body));
	state.signal.addEventListener('abort', () => clearTimeout(timer));
	await renew();

	async function renew() {
		clearTimeout(timer);
		if (paused || state.signal.aborted)
			return;
		if (!document.hidden)
			await fill(body, state, async () => {
				const { rows: [row] } = await getReport('live', { idsite: state.site, minutes: 30, max_visits: 30, visitors: base(state).visitors, filter: state.filter }, state.signal);

				return [h('dl', { class: 'figures' }, ['nb_visits', 'nb_uniq_visitors', 'nb_actions', 'nb_visits_converted', 'nb_visits_anonymous'].map(c => h('div', null, h('dt', null, metricName(c)), h('dd', { 'data-metric': c }, plain(row[c]))))),
					minutes(row),
					h('details', null, h('summary', null, t('table')), h('table', null, h('thead', null, h('tr', null, h('th', { scope: 'col' }, t('live minutes')), h('th', { scope: 'col', class: 'n' }, t('live actions')))),
						h('tbody', null, row.actions_per_minute.map((n, i) => h('tr', null, h('th', { scope: 'row' }, t('minutes ago', row.actions_per_minute.length - 1 - i)), h('td', { class: 'n' }, plain(n))))))),
					row.visits.length ? h('ul', { class: 'visits' }, row.visits.map(v => h('li', null,
						h('div', { class: 'who' }, h('strong', null, showClock(v.last_action)), ' ', joined(where(v), device(v), source(v), label('word', v.visitor_type), v.consent)),
						h('div', { class: 'did' }, t(v.visit_total_actions === 1 ? 'action of' : 'actions of', plain(v.visit_total_actions)), v.last_url ? [' · ', label('url', v.last_url)] : null)))) : h('p', { class: 'empty' }, t('live none')),
					h('p', { class: 'hint' }, t('live updated', showTime(row.local_time)))];
			});
		timer = setTimeout(renew, 10000);
	}
}

/* ---- visit log ---- */

/* So many actions of a visit are there at once. */
const SHOWN = 5;

/* What an action did, in words. */
function what(action) {
	switch (action.kind) {
		case 'event': return [action.event_category, action.event_action, action.event_name, action.event_value].filter(x => x !== undefined && x !== null).join(' › ');
		case 'search': return action.keyword + (action.search_count === undefined ? '' : ` (${plain(action.search_count)})`);
		case 'content': return joined(action.content_name, action.content_piece, action.content_interaction);
		default: return action.title || label('url', action.url);
	}
}

function actionRow(action) {
	return h('li', { class: 'kind-' + String(action.kind).replace(/\W/g, '') }, h('span', { class: 'clock' }, showClock(action.time)), h('span', { class: 'kind' }, t('kind', action.kind)),
		h('span', { class: 'did' }, what(action), action.url && what(action) !== label('url', action.url) ? h('span', { class: 'soft' }, label('url', action.url)) : null,
			h('span', { class: 'why' }, [action.matched_by && t('matched', action.matched_by), action.decision && t('decision', action.decision)].filter(Boolean).join(', '))));
}

function conversionRow(conversion, currency) {
	const name = conversion.idgoal === 0 ? t('order of', conversion.idorder || '') : conversion.idgoal === -1 ? t('cart') : `${t('goal')}: ${conversion.name || conversion.idgoal}`;

	return h('li', { class: 'converted' }, h('span', { class: 'clock' }, showClock(conversion.time)), h('span', { class: 'kind' }, t('kind', 'conversion')), h('span', { class: 'did' }, joined(name, conversion.revenue ? show('revenue', conversion.revenue, currency) : null)));
}

function visit(row, state, go) {
	const narrow = (dimension, value, words) => value === null || value === undefined ? null : h('button', { type: 'button', class: 'link', onclick: () => go({ filter: withConditions(state.filter, condition(dimension, value)), skip: '' }) }, words);
	const things = [...row.actions.map(a => [a.time, actionRow(a)]), ...row.conversions.map(c => [c.time, conversionRow(c, state.currency)])].sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

	return h('article', { class: 'panel visit', 'data-visit': row.idvisit },
		h('header', null, h('h2', null, showTime(row.local_time)), h('span', null, joined(t(row.visit_total_actions === 1 ? 'action of' : 'actions of', plain(row.visit_total_actions)), duration(row.visit_total_time), row.converted ? t('converted') : null))),
		h('dl', { class: 'facts' },
			fact('visitor', joined(label('word', row.visitor_type), t('visit number', plain(row.visitor_count_visits)))),
			fact('consent', row.consent),
			row.idvisitor ? h('div', null, h('dt', null, t('id')), h('dd', null, narrow('visitorId', row.idvisitor, row.idvisitor))) : null,
			row.user_id ? h('div', null, h('dt', null, t('user id')), h('dd', null, narrow('userId', row.user_id, row.user_id))) : null,
			row.user_id || row.idvisitor ? h('div', null, h('dt', null, t('fact', 'profile')), h('dd', null, h('a', { href: state.href({ view: 'visitor', id: row.user_id ? '' : row.idvisitor, uid: row.user_id || '', filter: '' }) }, t('profile')))) : null,
			fact('address', row.location_ip), fact('place', joined(where(row), row.location_region)), fact('language', row.location_browser_lang && label('language', row.location_browser_lang)),
			fact('device', joined(row.device_type, row.device_brand !== 'unknown' && row.device_brand, row.device_model, row.os !== 'unknown' && [row.os, row.os_version].filter(Boolean).join(' '), row.browser !== 'unknown' && [row.browser, row.browser_version].filter(Boolean).join(' '))),
			fact('source', joined(source(row), row.referer_url && label('url', row.referer_url)))),
		h('ol', { class: 'did-list' }, things.slice(0, SHOWN).map(([, row]) => row)),
		things.length > SHOWN ? h('details', null, h('summary', null, t('more actions', plain(things.length - SHOWN))), h('ol', { class: 'did-list' }, things.slice(SHOWN).map(([, row]) => row))) : null);
}

const fact = (name, value) => value ? h('div', null, h('dt', null, t('fact', name)), h('dd', null, value)) : null;

export async function log(state, main, go) {
	const size = 20, skip = Math.max(0, parseInt(state.own.skip, 10) || 0);
	const body = h('div', { class: 'log' }, h('p', { class: 'loading' }, t('loading')));

	main.append(h('p', { class: 'hint' }, t('log hint'), ' ', h('a', { class: 'csv', download: 'visit_log.csv', href: reportAddress('visit_log', Object.assign(base(state), { max_visits: 1000, format: 'csv' })) }, t('csv'))), body);
	await fill(body, state, async () => {
		const { rows } = await getReport('visit_log', Object.assign(base(state), { max_visits: size + 1, skip_visits: skip || '', limit: size + 1 }), state.signal);

		if (!rows.length)
			return h('p', { class: 'empty' }, state.filter ? t('empty filter') : t('empty'));
		const to = n => { go({ skip: n > 0 ? n : '' }); window.scrollTo(0, 0); };

		return [rows.slice(0, size).map(row => visit(row, state, go)), skip || rows.length > size ? h('div', { class: 'pager' }, h('span', null, t('rows', plain(skip + 1), plain(skip + Math.min(rows.length, size)))),
			h('button', { type: 'button', disabled: !skip, onclick: () => to(skip - size) }, t('newer')), h('button', { type: 'button', disabled: rows.length <= size, onclick: () => to(skip + size) }, t('older'))) : null];
	});
}

/* ---- funnel ---- */

export async function funnel(state, main, go) {
	const steps = [].concat(state.own.step || []).filter(Boolean);
	const list = h('ol', { class: 'steps-list' });
	const within = h('select', { name: 'within' }, [['', t('within visit')], ['1 day', t('within days', 1)], ['7 days', t('within days', 7)], ['30 days', t('within days', 30)]].map(([v, words]) => h('option', { value: v, selected: v === (state.own.within || '') }, words)));
	const add = value => {
		const item = h('li', null, h('input', { type: 'text', value, spellcheck: 'false', 'aria-label': t('step', list.children.length + 1), placeholder: 'pageUrl=@/cart' }),
			h('button', { type: 'button', 'aria-label': t('remove step', list.children.length + 1), onclick: () => item.remove() }, '×'));

		list.append(item);
		return item;
	};

	(steps.length ? steps : ['', '']).forEach(add);
	const body = h('div', null);

	main.append(h('section', { class: 'panel wide', 'data-panel': 'steps' }, h('header', null, h('h2', null, t('steps'))), h('p', { class: 'hint' }, t('funnel hint')),
		h('form', { class: 'funnel-form', onsubmit: e => { e.preventDefault(); go({ step: [...list.querySelectorAll('input')].map(i => i.value.trim()).filter(Boolean), within: within.value }); } }, list,
			h('div', { class: 'row' }, h('button', { type: 'button', onclick: () => add('').querySelector('input').focus() }, t('add step')), h('label', { class: 'inline' }, t('funnel within'), within), h('button', { type: 'submit' }, t('funnel show'))))), body);
	if (steps.length < 2)
		return put(body, h('p', { class: 'empty' }, t('funnel none')));
	const frame = h('div', { class: 'body' }, h('p', { class: 'loading' }, t('loading'))), asked = Object.assign(base(state), { steps, within: state.own.within || '' });

	put(body, h('section', { class: 'panel wide', 'data-panel': 'funnel' }, h('header', null, h('h2', null, t('view', 'funnel')), h('a', { class: 'csv', download: 'funnel.csv', href: reportAddress('funnel', Object.assign({ format: 'csv' }, asked)) }, t('csv'))), frame));
	return fill(frame, state, async () => {
		const { rows } = await getReport('funnel', asked, state.signal);
		const most = Math.max(rows[0] ? rows[0].nb_reached : 0, 1);
		const heads = ['nb_reached', 'nb_dropped', 'step_rate', 'conversion_rate', 'median_time'];
		const table = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('view', 'funnel') }, h('table', null, h('thead', null, h('tr', null, h('th', { scope: 'col' }, t('steps')), heads.map(c => h('th', { scope: 'col', class: 'n' }, metricName(c))))),
			h('tbody', null, rows.map(row => h('tr', null, h('th', { scope: 'row', class: 'label' }, `${row.step}. ${readCondition(row.step_filter, state.dimensions)}`), heads.map((c, i) => h('td', { class: i ? 'n' : 'n bar' }, i ? null : h('span', { class: 'fill', 'aria-hidden': 'true' }), h('span', { class: 'value' }, show(c, row[c])))))))));

		[...table.querySelectorAll('.fill')].forEach((bar, i) => { bar.style.width = rows[i].nb_reached / most * 100 + '%'; });
		return table;
	});
}

/* ---- all websites ---- */

export async function sites(state, main, go) {
	const columns = ['nb_visits', 'visits_evolution', 'nb_uniq_visitors', 'nb_pageviews', 'pageviews_evolution', 'nb_conversions', 'revenue', 'revenue_evolution', 'anonymous_rate'];
	const body = h('div', { class: 'body' }, h('p', { class: 'loading' }, t('loading')));
	const asked = { from: state.from, to: state.to, visitors: base(state).visitors, filter: state.filter, sort: '-nb_visits' };

	main.append(h('section', { class: 'panel wide', 'data-panel': 'sites' }, h('header', null, h('h2', null, t('panel', 'sites')), h('a', { class: 'csv', download: 'sites.csv', href: reportAddress('sites', Object.assign({ format: 'csv' }, asked)) }, t('csv'))), body));
	await fill(body, state, async () => {
		const { rows } = await getReport('sites', Object.assign({ limit: 1000 }, asked), state.signal);
		const most = Math.max(...rows.map(r => r.nb_visits), 1);
		const made = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('panel', 'sites') }, h('table', null, h('thead', null, h('tr', null, h('th', { scope: 'col' }, t('site')), columns.map(c => h('th', { scope: 'col', class: 'n' }, metricName(c))))),
			h('tbody', null, rows.map(row => h('tr', null, h('th', { scope: 'row', class: 'label' }, h('a', { href: addressOf(Object.assign({}, state.own, { site: row.idsite, view: '', filter: '' })) }, row.name)),
				columns.map((c, i) => h('td', { class: i ? 'n' : 'n bar' }, i ? null : h('span', { class: 'fill', 'aria-hidden': 'true' }),
					h('span', { class: /_evolution$/.test(c) ? 'change ' + (row[c] > 0 ? 'up' : row[c] < 0 ? 'down' : '') : 'value' }, (/_evolution$/.test(c) && row[c] > 0 ? '+' : '') + show(c, row[c])))))))));

		[...made.querySelectorAll('.fill')].forEach((bar, i) => { bar.style.width = rows[i].nb_visits / most * 100 + '%'; });
		return made;
	});
}

/* ---- a website without visits ---- */

export async function waiting(state, where, draw, session) {
	const code = h('pre', { tabindex: 0 }, `<script src="${tracker()}pk.js?idsite=${state.site}" defer></script>`);
	const ask = async () => {
		if (state.signal.aborted)
			return;
		const { rows } = await getReport('visits', { idsite: state.site, from: '2000-01-01', to: state.today, period: 'range' }).catch(() => ({ rows: [] }));

		if (state.signal.aborted)
			return;
		if (rows[0] && rows[0].nb_visits)
			draw();
		else
			timer = setTimeout(ask, 3000);
	};
	let timer = setTimeout(ask, 3000);

	state.signal.addEventListener('abort', () => clearTimeout(timer));
	put(where, h('section', { class: 'panel wide waiting', 'data-panel': 'waiting' }, h('h2', null, t('waiting')), h('p', null, t('waiting text')), tracker() === TRACKER ? h('p', null, t('waiting replace', TRACKER)) : null, code));
	if (session.admin)
		await get('admin/code', { idsite: state.site, url: tracker() }).then(({ rows: [row] }) => { code.textContent = row.code; }, () => {});
}
