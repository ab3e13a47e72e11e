/*
 * app.js: the page around the views: who is here, the address, the bar with the
 * website and the period, filters, keys.
 */
import { t, dimensions, operators } from './texts.js';
import { h, put, KINDS, addDays, periodAround, shift, todayOf, showDays, showDay, readAddress, addressOf, conditions, readCondition, both,
	setCsrf, onLogOut, get, post, getReport } from './base.js';
import { PANELS, VIEWS } from './panels.js';
import { tiles, graph, panel, compared, withConditions } from './draw.js';

const page = document.getElementById('page');
const say = text => { document.getElementById('say').textContent = text; };
let session = null, drawing = null, state = null;

/* ---- the address ---- */

const allowed = (name, site = state.site) => VIEWS[name] && !(session.public && (VIEWS[name].personal || VIEWS[name].special || VIEWS[name].admin)) && (!VIEWS[name].admin || session.admin) &&
	(name !== 'sites' || session.sites.length > 1) && (name !== 'dimensions' || session.dimensions.some(d => d.idsite === site));

const readable = name => !session.reports || !PANELS[name].where && session.reports.includes(PANELS[name].report || name);

/* What the address says, with what it leaves out. */
function readState() {
	const own = readAddress();
	const site = session.sites.find(s => String(s.idsite) === own.site) || session.sites[0];
	const zone = site ? site.timezone : 'UTC', today = todayOf(zone), isDay = day => /^\d{4}-\d\d-\d\d$/.test(day || '') && !isNaN(Date.parse(day));
	const period = KINDS.includes(own.period) ? own.period : 'range';
	let from, to;

	if (period === 'range') {
		to = isDay(own.to) ? own.to : isDay(own.date) ? own.date : today;
		from = isDay(own.date) ? own.date : addDays(to, -6);
		if (from > to)
			[from, to] = [to, from];
	} else
		[from, to] = periodAround(period, isDay(own.date) ? own.date : today);
	const ofSite = list => site ? list.filter(x => x.idsite === site.idsite) : [];

	return { own, isPublic: session.public, segments: ofSite(session.segments), dimensions: ofSite(session.dimensions), site: site && site.idsite, siteRow: site, currency: site && site.currency, zone, today, period, from, to,
		view: allowed(own.view, site && site.idsite) ? own.view : 'overview', filter: own.filter || '', compare: own.compare || '', visitors: own.visitors || 'all', metric: own.metric || '', by: own.by || '' };
}

const hrefWith = changes => addressOf(Object.assign({}, state.own, changes));

/* Changes the address and nothing on the page; in its place: not to be gone back to. */
function note(changes, inPlace) {
	Object.assign(state.own, changes);
	history[inPlace ? 'replaceState' : 'pushState'](null, '', addressOf(state.own));
}

/* Goes to the address with these changes; keeps the keyboard where it was. */
function go(changes) {
	const active = document.activeElement, mark = active && active.closest && active.closest('[data-panel], .tiles, #bar, nav');
	const place = mark && { where: mark.dataset.panel ? `[data-panel="${mark.dataset.panel}"]` : mark.id ? '#' + mark.id : mark.className ? '.' + mark.className : mark.tagName, what: active.getAttribute('aria-label') || active.textContent };

	history.pushState(null, '', hrefWith(changes));
	draw(place);
}

const toPeriod = kind => go({ period: kind, date: kind === 'range' ? state.from : state.today < state.from || state.today > state.to ? state.from : state.today, to: kind === 'range' ? state.to : '', by: '' });
const step = n => { const [from, to] = shift([state.from, state.to], n); go({ date: from, to: state.period === 'range' ? to : '' }); };

/* ---- the bar ---- */

function select(name, value, choices, change) {
	return h('label', { class: 'field' }, h('span', null, t(name)), h('select', { onchange: e => change(e.target.value) },
		choices.map(([key, words]) => h('option', { value: key, selected: key === value }, words))));
}

function periodPicker() {
	const isRange = state.period === 'range';
	const from = h('input', { type: 'date', value: state.from, 'aria-label': t('from'), required: true });
	const to = h('input', { type: 'date', value: state.to, 'aria-label': t('to'), required: true });

	return h('div', { class: 'period' },
		h('div', { class: 'kinds', role: 'group', 'aria-label': t('period') }, KINDS.map(kind => h('button', { type: 'button', 'aria-pressed': String(kind === state.period), onclick: () => toPeriod(kind) }, t(kind)))),
		h('div', { class: 'steps' }, h('button', { type: 'button', 'aria-label': t('earlier'), onclick: () => step(-1) }, '‹'),
			isRange ? h('form', { class: 'days', onsubmit: e => { e.preventDefault(); go({ date: from.value, to: to.value }); } }, from, h('span', { 'aria-hidden': 'true' }, '–'), to, h('button', { type: 'submit' }, t('show')))
				: h('strong', { class: 'days' }, showDays([state.from, state.to])),
			h('button', { type: 'button', 'aria-label': t('later'), disabled: state.to >= state.today, onclick: () => step(1) }, '›'),
			h('button', { type: 'button', onclick: () => go({ period: 'day', date: state.today, to: '', by: '' }) }, t('today'))));
}

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
	try {
		localStorage.setItem('theme', theme);
	} catch (e) { /* refused: for this page only */ }
}

function theme() {
	try {
		return localStorage.getItem('theme') || 'auto';
	} catch (e) {
		return 'auto';
	}
}

function bar() {
	const view = VIEWS[state.view];

	return h('div', { id: 'bar' },
		session.sites.length > 1 ? select('site', String(state.site), session.sites.map(s => [String(s.idsite), s.name]), site => go(Object.assign({ site, filter: '' }, Object.fromEntries(ONE_VIEW.filter(k => !/^(metric|part|report)$/.test(k)).map(k => [k, '']))))) : h('strong', { class: 'site' }, state.siteRow.name),
		view.plain ? null : periodPicker(),
		view.plain ? null : select('compare', state.compare, [['', t('compare none')], ['previous', t('compare previous')], ['year', t('compare year')]], compare => go({ compare })),
		view.admin || session.public ? null : select('visitors', state.visitors, ['all', 'identified', 'anonymous'].map(v => [v, t('visitors ' + v)]), visitors => go({ visitors: visitors === 'all' ? '' : visitors })));
}

function chips() {
	const isNamed = value => value.startsWith('@') && state.segments.some(s => s.name === value.slice(1));
	const given = conditions(state.filter), words = one => readCondition(one, state.dimensions);
	const form = h('form', { class: 'adding', hidden: true, onsubmit: e => {
		e.preventDefault();
		const [what, how, value] = [...form.elements].map(x => x.value.trim ? x.value.trim() : x.value);

		go({ filter: withConditions(state.filter, what.startsWith('@') ? what : isNamed(value) ? value : what + how + encodeURIComponent(value)) });
	} },
	h('label', null, h('span', null, t('what')), h('select', { onchange: e => { const named = e.target.value.startsWith('@'); [...form.querySelectorAll('.of-dimension')].forEach(x => { x.hidden = named; }); } },
		h('optgroup', { label: t('dimensions of') }, [...dimensions(), ...state.dimensions.map(d => ['dimension' + d.iddimension, d.name])].map(([name, words]) => h('option', { value: name }, words))),
		state.segments.length ? h('optgroup', { label: t('named filters') }, state.segments.map(s => h('option', { value: '@' + s.name, title: s.filter }, s.name))) : null)),
	h('label', { class: 'of-dimension' }, h('span', null, t('how')), h('select', null, operators().map(([sign, words]) => h('option', { value: sign, selected: sign === '=@' }, words)))),
	h('label', { class: 'of-dimension' }, h('span', null, t('value')), h('input', { type: 'text', autocomplete: 'off', list: 'named-filters' })), h('datalist', { id: 'named-filters' }, state.segments.map(s => h('option', { value: '@' + s.name }))),
	h('button', { type: 'submit' }, t('add')));
	const adder = h('button', { type: 'button', class: 'adder', 'aria-expanded': 'false', onclick: () => {
		form.hidden = !form.hidden;
		adder.setAttribute('aria-expanded', String(!form.hidden));
		if (!form.hidden)
			form.querySelector('input').focus();
	} }, '+ ' + t('add filter'));

	return h('div', { class: 'chips', role: 'group', 'aria-label': t('filters') },
		given.map((one, i) => h('span', { class: 'chip' }, h('span', { title: one.startsWith('@') ? (state.segments.find(s => '@' + s.name === one) || {}).filter : null }, words(one)), h('button', { type: 'button', 'aria-label': t('remove filter', words(one)),
			onclick: () => go({ filter: given.filter((x, n) => n !== i).join(';') }) }, '×'))),
		given.length > 1 ? h('button', { type: 'button', onclick: () => go({ filter: '' }) }, t('clear')) : null, adder,
		given.length && session.admin && !state.filter.includes('@') ? h('a', { class: 'saves', href: hrefWith({ view: 'admin', part: 'segments' }) }, t('save filter')) : null, form);
}

/* What the address says of one view only. */
const ONE_VIEW = ['metric', 'part', 'configure', 'all', 'find', 'which', 'skip', 'step', 'within', 'url', 'title', 'id', 'uid', 'report', 'row', 'of', 'with'];

function menu() {
	const groups = {};

	for (const [name, view] of Object.entries(VIEWS))
		if (view.group && allowed(name))
			(groups[view.group] = groups[view.group] || []).push(name);
	return h('nav', { 'aria-label': t('views'), id: 'menu' }, Object.entries(groups).map(([group, names]) => h('div', null, h('h2', null, t('group', group)), h('ul', null, names.map(name =>
		h('li', null, h('a', { href: addressOf(Object.assign(Object.fromEntries(Object.entries(state.own).filter(([k]) => !k.includes('.') && !ONE_VIEW.includes(k))), { view: name === 'overview' ? '' : name })), 'aria-current': name === state.view ? 'page' : null }, t('view', name))))))));
}

function foot() {
	return h('footer', null, h('span', null, session.public ? t('public link') : t('logged in as', session.role)),
		select('theme', theme(), ['auto', 'light', 'dark'].map(x => [x, t('theme ' + x)]), chosen => { setTheme(chosen); draw(); }),
		h('button', { type: 'button', onclick: showKeys }, t('keys help'), ' ', h('kbd', null, '?')),
		session.public ? null : h('button', { type: 'button', onclick: logOut }, t('log out')));
}

/* ---- a view ---- */

async function special(view, where) {
	const made = await import(`./${view.module || 'special'}.js`);

	return made[view.special](state, where, go, { session, renew, note });
}

/* An empty site waits for its first hit; a quiet period names the last days that had some. */
async function quiet(where) {
	const { rows } = await getReport('visits', { idsite: state.site, from: '2000-01-01', to: state.today, period: 'year', limit: 1000 }, state.signal);
	const last = rows.filter(row => row.nb_visits).pop();

	if (!last) {
		await import('./special.js').then(special => special.waiting(state, where, draw, session));
		return;
	}
	const days = await getReport('visits', { idsite: state.site, from: last.first_day, to: last.last_day, period: 'day', limit: 1000 }, state.signal);
	const row = days.rows.filter(r => r.nb_visits).pop();

	if (!row || state.signal.aborted || row.first_day >= state.from && row.first_day <= state.to)
		return;
	const week = [addDays(row.first_day, -6), row.first_day];

	put(where, h('p', { class: 'notice' }, t('quiet'), ' ', t('quiet last', showDay(row.first_day)), ' ',
		h('button', { type: 'button', onclick: () => go({ period: 'range', date: week[0], to: week[1], by: '' }) }, t('show last', showDays(week)))));
}

async function draw(place) {
	if (drawing)
		drawing.abort();
	drawing = new AbortController();
	state = Object.assign(readState(), { signal: drawing.signal, href: hrefWith, openRow });
	if (!session.sites.length) {
		put(page, h('main', { class: 'alone' }, h('h1', null, t('title')), h('p', null, t('no sites')), h('pre', null, `SELECT pk_tracking.grant_analyst('${session.role}');`), foot()));
		return;
	}
	const view = VIEWS[state.view], main = h('main', { id: 'main', tabindex: -1, 'data-view': state.view }), notice = h('div', { class: 'notices' });

	document.title = [t('view', state.view), state.siteRow.name, view.plain ? null : showDays([state.from, state.to])].filter(Boolean).join(' · ');
	if (!page.querySelector('#bar')) {
		put(page, h('a', { class: 'skip', href: '#main', onclick: e => { e.preventDefault(); document.getElementById('main').focus(); } }, t('skip')), h('header', { id: 'top' }), h('div', { id: 'side' }), main);
	}
	put(page.querySelector('#top'), h('button', { type: 'button', class: 'burger', 'aria-expanded': 'false', 'aria-controls': 'menu', onclick: e => {
		e.target.setAttribute('aria-expanded', String(document.documentElement.toggleAttribute('data-menu')));
	} }, t('menu')), bar());
	document.documentElement.removeAttribute('data-menu');
	put(page.querySelector('#side'), menu(), foot());
	page.querySelector('main').replaceWith(main);
	main.append(h('h1', null, t('view', state.view), h('small', null, state.view === 'sites' ? showDays([state.from, state.to]) : view.plain ? state.siteRow.name : `${state.siteRow.name}, ${showDays([state.from, state.to])}`)));
	/* a public link takes no filter */
	if (!view.admin && !session.public)
		main.append(chips());
	main.append(notice);
	if (view.hint)
		main.append(h('p', { class: 'hint' }, t(view.hint)));
	state.onQuiet = () => state.filter || state.visitors !== 'all' || quiet(notice).catch(() => {});
	if (['goals', 'reports'].includes(state.view))
		await getReport('goals', { idsite: state.site, from: state.from, to: state.to }, state.signal).then(a => { state.goals = Object.fromEntries(a.rows.map(r => [r.idgoal, r.name])); }, () => {});
	if (state.signal.aborted)
		return;
	if (view.tiles)
		main.append(tiles(view, state, go));
	if (view.graph)
		main.append(graph(view, state, go));
	if (view.map)
		main.append(await import('./map.js').then(m => m.map(state, go)));
	if (view.panels)
		main.append(h('div', { class: 'panels' }, view.panels.filter(p => readable([].concat(p)[0])).map(p => Array.isArray(p) ? panel(p[0], p[1], state, go) : panel(p, null, state, go))));
	if (view.special)
		await special(view, main);
	main.dataset.ready = 'yes';
	if (state.own.row && !session.public)
		import('./row.js').then(made => made.openRow(state, note)).catch(sayProblem);
	if (place)
		restore(place);
	say(t('view', state.view));
}

function sayProblem(problem) {
	const where = page.querySelector('.notices');

	if (problem.name !== 'AbortError' && where)
		put(where, h('p', { class: 'problem', role: 'alert' }, problem.message));
}

/* A row of a report over time: what the address says of it, and the dialog. */
async function openRow(report, args, row) {
	try {
		const made = await import('./row.js');

		note(await made.rowAddress(report, args, row));
		await made.openRow(state, note);
	} catch (problem) {
		sayProblem(problem);
	}
}

/* The keyboard goes back to what was pressed, or to what stands in its place. */
function restore(place) {
	const where = page.querySelector(place.where);

	if (!where || document.activeElement !== document.body)
		return;
	const found = [...where.querySelectorAll('button, a, select')].find(e => (e.getAttribute('aria-label') || e.textContent) === place.what);

	if (found)
		found.focus();
	else if (where.dataset.panel) {
		where.tabIndex = -1;
		where.focus({ preventScroll: true });
	}
}

/* ---- keys ---- */

const KEYS = {
	d: ['day', () => toPeriod('day')], w: ['week', () => toPeriod('week')], m: ['month', () => toPeriod('month')], y: ['year', () => toPeriod('year')],
	t: ['today', () => go({ period: 'day', date: state.today, to: '', by: '' })],
	ArrowLeft: ['earlier', () => step(-1)], ArrowRight: ['later', () => state.to < state.today && step(1)],
	'/': ['add filter', () => { const adder = page.querySelector('.adder'); if (adder) adder.click(); }],
	'?': ['keys help', () => showKeys()]
};

function showKeys() {
	const dialog = h('dialog', { 'aria-labelledby': 'keys', onclose: () => dialog.remove() }, h('h2', { id: 'keys' }, t('keys help')),
		h('dl', null, Object.entries(KEYS).map(([key, [words]]) => h('div', null, h('dt', null, h('kbd', null, { ArrowLeft: '←', ArrowRight: '→' }[key] || key.toUpperCase())), h('dd', null, t(words))))),
		h('form', { method: 'dialog' }, h('button', null, t('close'))));

	document.body.append(dialog);
	dialog.showModal();
}

document.addEventListener('keydown', e => {
	const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;

	if (!state || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]') || e.target.closest('input, select, textarea') || !Object.prototype.hasOwnProperty.call(KEYS, key))
		return;
	/* arrows scroll what scrolls */
	if (/^Arrow/.test(key) && e.target.closest('.scroll'))
		return;
	if (VIEWS[state.view].plain && !/^[?/]$/.test(key))
		return;
	e.preventDefault();
	KEYS[key][1]();
});

document.addEventListener('click', e => {
	const link = e.target.closest('a[href^="/?"]');

	if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button)
		return;
	e.preventDefault();
	history.pushState(null, '', link.getAttribute('href'));
	draw();
	document.getElementById('main').focus({ preventScroll: true });
	window.scrollTo(0, 0);
});

/* What is printed has the colours of paper, the graphs too, which style sheets do not reach. */
for (const [event, chosen] of [['beforeprint', () => 'light'], ['afterprint', theme]])
	window.addEventListener(event, () => {
		document.documentElement.dataset.theme = chosen();
		window.dispatchEvent(new Event('colours'));
	});

window.addEventListener('popstate', () => state && draw());

/* ---- who is here ---- */

async function logOut() {
	await post('logout').catch(() => {});
	logIn();
}

function logIn() {
	const wrong = h('p', { class: 'problem', role: 'alert', hidden: true });
	const user = h('input', { name: 'user', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' });
	const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
	const button = h('button', { type: 'submit' }, t('log in'));

	if (drawing)
		drawing.abort();
	state = null;
	document.title = t('log in');
	put(page, h('main', { class: 'alone', id: 'main' }, h('h1', null, t('title')), h('form', { class: 'login', onsubmit: async e => {
		e.preventDefault();
		button.disabled = true;
		try {
			await post('login', { user: user.value, password: password.value });
			await start();
		} catch (problem) {
			wrong.textContent = problem.message;
			wrong.hidden = false;
			password.select();
		}
		button.disabled = false;
	} }, h('label', null, h('span', null, t('user')), user), h('label', null, h('span', null, t('password')), password), wrong, button, h('p', { class: 'hint' }, t('login hint')))));
	user.focus();
}

/* Asks anew who is here, after a change of what the session tells, and goes on. */
async function renew(changes) {
	session = Object.assign(await get('session'), { reports: session.reports });
	setCsrf(session.csrf);
	go(changes);
}

async function start() {
	try {
		session = await get('session');
	} catch (problem) {
		if (problem.status === 401)
			logIn();
		else
			put(page, h('main', { class: 'alone' }, h('h1', null, t('title')), h('p', { class: 'problem', role: 'alert' }, problem.message), h('button', { type: 'button', onclick: start }, t('again'))));
		return;
	}
	setCsrf(session.csrf);
	/* a public link reads some reports only */
	session.reports = session.public ? (await get('').catch(() => ({ reports: [] }))).reports.map(r => r.name) : null;
	page.replaceChildren();
	await draw();
}

document.documentElement.dataset.theme = theme();
onLogOut.call = () => session && state && logIn();
start();
