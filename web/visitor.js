/*
 * visitor.js: all visits of a visitor.  Loaded when the view is opened, from the visit
 * log.
 */
import { t, metricName } from './texts.js';
import { h, show, plain, label, duration, showTime, getReport, reportAddress, condition } from './base.js';
import { fill } from './draw.js';

const joined = (...parts) => parts.filter(Boolean).join(' · ');
const known = value => value && value !== 'unknown' ? value : null;
const FIGURES = ['nb_visits', 'nb_actions', 'nb_pageviews', 'nb_searches', 'nb_events', 'sum_visit_length', 'nb_conversions', 'orders', 'revenue'];

function visit(v, state) {
	const url = v.entry_url && label('url', v.entry_url), last = v.last_url && label('url', v.last_url);

	return h('li', { 'data-visit': v.idvisit },
		h('div', { class: 'who' }, h('strong', null, showTime(v.first_action)), ' ', joined(t('visit number', plain(v.visitor_count_visits)), label('word', v.visitor_type), v.consent,
			[v.location_city, v.location_country && v.location_country !== 'xx' ? label('country', v.location_country) : null].filter(Boolean).join(', '),
			joined(known(v.device_type), known(v.os), known(v.browser)), joined(label('word', v.referrer_type), v.referer_name, v.referer_keyword))),
		h('div', { class: 'did' }, joined(t(v.visit_total_actions === 1 ? 'action of' : 'actions of', plain(v.visit_total_actions)), duration(v.visit_total_time), url && last && url !== last ? url + ' → ' + last : url || last),
			v.converted ? h('span', { class: 'converted' }, ' ', joined(v.ordered ? t('ordered') : t('converted'), v.revenue ? show('revenue', v.revenue, state.currency) : null)) : null));
}

export async function visitor(state, main) {
	const { id, uid } = state.own, asked = { idsite: state.site, visitor_id: id, user_id: uid, visitors: state.visitors === 'all' ? '' : state.visitors, filter: state.filter };
	const body = h('div', null, h('p', { class: 'loading' }, t('loading')));

	main.append(body);
	if (!id && !uid)
		return body.replaceChildren(h('p', { class: 'empty' }, t('visitor none')));
	return fill(body, state, async () => {
		const { rows: [row] } = await getReport('visitor', Object.assign({ max_visits: 100 }, asked), state.signal);

		if (!row)
			return h('p', { class: 'empty' }, t('visitor gone'));
		const fact = (name, value) => value ? h('div', null, h('dt', null, t(name)), h('dd', null, value)) : null;
		const list = (values, how) => (values || []).map(v => label(how, v)).join(', ');
		/* the days of the log that hold all of the visits */
		const log = state.href({ view: 'log', period: 'range', date: row.first_visit.slice(0, 10), to: row.last_visit.slice(0, 10), filter: id ? condition('visitorId', id) : condition('userId', uid), id: '', uid: '', skip: '' });

		return [h('section', { class: 'panel wide', 'data-panel': 'visitor' }, h('header', null, h('h2', null, uid || id), h('a', { href: log }, t('their log')),
			h('a', { class: 'csv', download: 'visitor.csv', href: reportAddress('visitor', Object.assign({ format: 'csv' }, asked)), 'aria-label': t('csv of', t('view', 'visitor')) }, t('csv'))),
		h('dl', { class: 'figures' }, FIGURES.filter(c => row[c] || /^nb_visits|^nb_actions/.test(c)).map(c => h('div', null, h('dt', null, metricName(c)), h('dd', { 'data-metric': c }, show(c, row[c], state.currency))))),
		h('dl', { class: 'facts' }, fact('first visit', showTime(row.first_visit)), fact('last visit', showTime(row.last_visit)), fact('first source', joined(row.first_referrer_type && label('word', row.first_referrer_type), row.first_referer_name)),
			fact('from countries', list(row.countries, 'country')), fact('devices', list(row.device_types)), fact('id', list(row.visitor_ids)), fact('user id', list(row.user_ids)))),
		h('section', { class: 'panel wide', 'data-panel': 'visits' }, h('header', null, h('h2', null, t(row.nb_visits > row.visits.length ? 'visits newest' : 'visits all', plain(row.visits.length)))), h('ul', { class: 'visits' }, row.visits.map(v => visit(v, state))))];
	});
}
