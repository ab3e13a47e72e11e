/*
 * admin.js: the administration.  Forms are drawn from the registry of settings, so
 * that a new setting needs nothing here; what changes something calls the function of
 * the same name.
 */
import { t, COUNTED } from './texts.js';
import { h, put, get, post, plain, conditions, readCondition, tracker, TRACKER, Problem } from './base.js';
import { consentManager, windowEditor } from './consent.js';

/* The parts, in their order. */
const PARTS = {
	websites, tracking, recognition, privacy: consentManager, window: windowEditor, settings, goals, dimensions, segments,
	exclusions,
	tokens, users, status
};

/* The warnings of the last change, and how often the page was drawn since. */
let warned = [], drawn = 0;

export async function admin(state, main, go, { session, renew, note }) {
	const part = PARTS[state.own.part] ? state.own.part : 'websites';
	const body = h('div', { class: 'part', 'data-part': part }, h('p', { class: 'loading' }, t('loading')));
	const a = { state, go, renew, note: changes => note(changes, true), site: state.site, daemon: session.daemon, body, warnings: h('div', { class: 'warnings', role: 'status' }), say: text => { document.getElementById('say').textContent = text; } };

	main.append(h('div', { class: 'parts', role: 'group', 'aria-label': t('parts') }, Object.keys(PARTS).map(name =>
		h('button', { type: 'button', 'aria-pressed': String(name === part), onclick: () => go({ part: name, configure: '', all: '', find: '', which: '' }) }, t('part', name)))), a.warnings, body);
	/* a change may lead to another part: its warnings go with it, and no further */
	if (drawn++)
		warned = [];
	showWarnings(a);
	try {
		await PARTS[part](a);
	} catch (e) {
		if (e.name !== 'AbortError')
			put(body, problem(e));
	}
	body.querySelector('.loading')?.remove();
}

export const problem = e => h('p', { class: 'problem', role: 'alert' }, e.message);
export const card = (title, ...children) => h('section', { class: 'panel wide' }, h('header', null, h('h2', null, title)), ...children);

function showWarnings(a) {
	put(a.warnings, warned.map(w => h('p', { class: 'notice' }, h('strong', null, t('warning')), ' ', [w.message && w.message.replace(/^./, c => c.toUpperCase()) + '.', w.detail, w.hint].filter(Boolean).join(' '))));
}

/*
 * A form's answer: what the function said, beside the button; what it warned of, above.
 * more: the call belongs to the one before.
 */
export async function call(a, where, name, args, done, more = false) {
	where.querySelectorAll('.problem, .done').forEach(x => x.remove());
	try {
		const { result, warnings } = await post('admin/' + name, args);

		warned = (more ? warned : []).concat(warnings || []).filter((w, i, all) => all.findIndex(x => x.message === w.message) === i);
		drawn = 0;
		showWarnings(a);
		where.append(h('span', { class: 'done' }, t('saved')));
		a.say(t('saved'));
		if (done)
			await done(result);
	} catch (e) {
		if (!(e instanceof Problem))
			throw e;
		where.append(problem(e));
	}
}

export const loadSettings = async site => (await get('admin/settings', { idsite: site })).rows;
const field = (words, control, hint) => h('label', { class: 'field' }, h('span', null, words), control, hint ? h('small', null, hint) : null);
const table = (title, columns, rows, cell) => h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': title }, h('table', null,
	h('thead', null, h('tr', null, columns.map(c => h('th', { scope: 'col' }, t('column', c))))), h('tbody', null, rows.map(row => h('tr', null, columns.map((c, i) => h(i ? 'td' : 'th', { scope: i ? null : 'row' }, cell ? cell(row, c) : text(row[c]))))))));
const text = value => value === null || value === undefined ? '' : typeof value === 'boolean' ? t(value ? 'yes' : 'no') : Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value);

/* ---- settings ---- */

/* The items of an array literal of the server, {a,"b c"}. */
export function readList(literal) {
	const items = [];

	(literal || '').replace(/^\{|\}$/g, '').replace(/"((?:[^"\\]|\\.)*)"|([^,]+)/g, (all, quoted, bare) => items.push(quoted === undefined ? bare : quoted.replace(/\\(.)/g, '$1')));
	return items;
}

export const writeList = items => '{' + items.map(i => '"' + i.replace(/(["\\])/g, '\\$1') + '"').join(',') + '}';

/* What is typed in for a setting, by its type: an element, and how its value is read. */
export function control(def) {
	const id = 'setting-' + def.name;
	let made;

	switch (def.type) {
		case 'boolean': made = h('select', { id }, ['on', 'off'].map(v => h('option', { value: v, selected: v === def.value }, t(v)))); break;
		case 'choice': made = h('select', { id }, def.choices.map(v => h('option', { value: v, selected: v === def.value }, v))); break;
		case 'integer': made = h('input', { id, type: 'number', min: def.minimum, max: def.maximum, step: 1, value: def.value, required: true }); break;
		case 'list': made = h('textarea', { id, rows: Math.min(6, readList(def.value).length + 1), spellcheck: 'false' });
			made.value = readList(def.value).join('\n');
			break;
		default: made = h('input', { id, type: 'text', value: def.value, spellcheck: 'false' });
	}
	if (def.type === 'boolean' && !def.value) {
		made.prepend(h('option', { value: '' }, t('not set')));
		made.value = '';
	}
	return { element: made, value: () => def.type === 'list' ? writeList(made.value.split('\n').map(x => x.trim()).filter(Boolean)) : made.value };
}

function setting(a, def, site) {
	const { element, value } = control(def), fixed = site && def.instance_only;
	const answer = h('span', { class: 'answer' });
	const changed = def.source === (site ? 'site' : 'instance');
	const save = h('button', { type: 'submit', disabled: true }, t('save'));
	const again = async () => { const fresh = (await loadSettings(site)).find(d => d.name === def.name); if (fresh) made.replaceWith(setting(a, fresh, site)); };

	element.disabled = fixed;
	element.addEventListener('input', () => { save.disabled = false; });
	const made = h('form', { class: changed ? 'setting changed' : 'setting', 'data-setting': def.name, onsubmit: e => {
		e.preventDefault();
		call(a, answer, site ? 'set_site' : 'set_instance', Object.assign(site ? { idsite: site } : {}, { setting: def.name, value: value() }), again);
	} },
	h('div', null, h('label', { for: 'setting-' + def.name }, def.name), h('p', null, def.description),
		h('p', { class: 'meta' }, [t('source', def.source), t('default is', (def.type === 'list' ? readList(def.default_value).join(', ') : def.default_value) || t('nothing')),
			def.type === 'integer' ? t('from to', plain(def.minimum), plain(def.maximum)) : null, def.protects ? t('protects', t('order ' + def.protects)) : null, fixed ? t('instance only') : null].filter(Boolean).join(' · '))),
	h('div', { class: 'control' }, element, save,
		changed ? h('button', { type: 'button', onclick: () => call(a, answer, site ? 'reset_site' : 'reset_instance', Object.assign(site ? { idsite: site } : {}, { setting: def.name }), again) }, t('reset')) : null, answer));

	return made;
}

async function exclusions(a) {
	const [defs, { rows }] = await Promise.all([loadSettings(a.site), get('admin/exclusions', { idsite: a.site })]);

	/* the sums are also of hits that were recorded */
	const sums = (title, some) => some.length ? table(t(title), Object.keys(some[0]).filter(c => c !== 'idsite'), some, (row, c) => c === 'reason' ? t('reason of', row[c]) : text(row[c])) : h('p', { class: 'empty' }, t('none yet'));
	const counted = rows.filter(row => COUNTED[row.reason]);

	put(a.body, card(t('excluded lately'), sums('excluded lately', rows.filter(row => !COUNTED[row.reason]))),
		counted.length ? card(t('counted lately'), sums('counted lately', counted)) : null,
		card(t('part', 'exclusions'), defs.filter(def => /^(exclude|excluded_|track_bots|respect_do_not_track|enable_spam_filter|ignore_visits|url_query_parameter_to_exclude)/.test(def.name)).map(def => setting(a, def, a.site))));
}

async function settings(a) {
	const scope = a.state.own.all ? null : a.site, defs = await loadSettings(scope);
	const changed = () => { show(); a.note({ find: search.value, which: which.value === 'every' ? '' : which.value }); };
	const search = h('input', { type: 'search', autocomplete: 'off', value: a.state.own.find || '', oninput: changed });
	const which = h('select', { onchange: changed }, ['every', 'changed', 'privacy'].map(v => h('option', { value: v, selected: v === a.state.own.which }, t('which ' + v))));
	const list = h('div', null, defs.map(def => setting(a, def, scope)));

	function show() {
		const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);

		[...list.children].forEach(row => {
			const def = defs.find(d => d.name === row.dataset.setting);

			row.hidden = !(words.every(w => (def.name + ' ' + def.description).toLowerCase().includes(w)) &&
				(which.value === 'every' || which.value === 'changed' && row.classList.contains('changed') || which.value === 'privacy' && def.protects));
		});
	}
	put(a.body, card(t('part', 'settings'), h('div', { class: 'row' },
		field(t('scope'), h('select', { onchange: e => a.go({ all: e.target.value }) }, h('option', { value: '' }, a.state.siteRow.name), h('option', { value: '1', selected: !scope }, t('all sites')))),
		field(t('search settings'), search), field(t('which'), which)), list));
	show();
}

/* ---- websites ---- */

async function websites(a) {
	const { rows } = await get('admin/sites');
	const name = h('input', { required: true }), urls = h('textarea', { rows: 2, spellcheck: 'false', placeholder: 'https://www.example.org' });
	const zone = h('input', { value: Intl.DateTimeFormat().resolvedOptions().timeZone, required: true }), currency = h('input', { value: 'USD', size: 4, maxlength: 3, required: true });
	const profile = h('select', null, ['faq', 'cookies', 'cookieless', 'matomo'].map(p => h('option', { value: p }, p)));
	const answer = h('span', { class: 'answer' });

	const site = rows.find(r => r.idsite === a.site), changed = { name: h('input', { value: site.name, required: true }), urls: h('textarea', { rows: 2, spellcheck: 'false' }), timezone: h('input', { value: site.timezone, required: true }), currency: h('input', { value: site.currency, size: 4, maxlength: 3, required: true }) }, said = h('span', { class: 'answer' });

	changed.urls.value = (site.urls || []).join('\n');
	put(a.body, card(t('part', 'websites'), table(t('part', 'websites'), ['idsite', 'name', 'urls', 'timezone', 'currency', 'ecommerce'], rows)),
		card(t('change website', site.name), h('form', { class: 'grid', onsubmit: e => {
			e.preventDefault();
			call(a, said, 'change_site', { idsite: a.site, name: changed.name.value, urls: changed.urls.value.split(/\s+/).filter(Boolean), timezone: changed.timezone.value, currency: changed.currency.value.toUpperCase() }, () => a.renew({}));
		} }, Object.entries(changed).map(([name, x]) => field(t('column', name), x)), h('div', null, h('button', { type: 'submit' }, t('save')), said))),
		card(t('add website'), h('form', { class: 'grid', onsubmit: e => {
			e.preventDefault();
			call(a, answer, 'add_site', { name: name.value, urls: urls.value.split(/\s+/).filter(Boolean), timezone: zone.value, currency: currency.value.toUpperCase(), profile: profile.value }, id => a.renew({ part: 'tracking', site: id }));
		} }, field(t('column', 'name'), name), field(t('column', 'urls'), urls, t('one a line')), field(t('column', 'timezone'), zone), field(t('column', 'currency'), currency), field(t('part', 'recognition'), profile), h('div', null, h('button', { type: 'submit' }, t('add')), answer))));
}

async function tracking(a) {
	const url = h('input', { type: 'url', value: tracker() === TRACKER ? '' : tracker(), placeholder: TRACKER, required: true }), code = h('pre', { tabindex: 0 }), answer = h('span', { class: 'answer' });
	const show = () => get('admin/code', { idsite: a.site, url: url.value || TRACKER }).then(({ rows: [row] }) => { code.textContent = row.code; answer.replaceChildren(); }, e => put(answer, problem(e)));

	put(a.body, card(t('part', 'tracking'), h('p', { class: 'hint' }, t('tracking hint')), h('form', { class: 'row', onsubmit: e => { e.preventDefault(); tracker(url.value); show(); } }, field(t('tracking url'), url), h('button', { type: 'submit' }, t('show')), answer), code,
		h('button', { type: 'button', onclick: () => navigator.clipboard.writeText(code.textContent).then(() => a.say(t('copied'))) }, t('copy'))));
	await show();
}

async function recognition(a) {
	const answer = h('span', { class: 'answer' });
	const chosen = h('fieldset', { class: 'choices' }, h('legend', null, t('profile of', a.state.siteRow.name)), ['faq', 'cookies', 'cookieless', 'matomo'].map(p => h('label', null, h('input', { type: 'radio', name: 'profile', value: p }), h('span', null, h('strong', null, p), ' ', t('profile ' + p)))));
	const { rows: profiles } = await get('admin/profiles');
	const defs = (await loadSettings(a.site)).filter(d => /^(recognition_rules|fingerprint_|use_fingerprint|returning_look_back|force_cookieless|trust_visitors|enable_fingerprinting|use_third|server_cookie|cookie_|enable_userid|create_new_visit|window_look_back|visit_standard)/.test(d.name));

	/* what no profile sets may be anything */
	const names = ['faq', 'cookies', 'cookieless', 'matomo'], rules = profiles.filter(row => names.some(p => row[p] !== null));
	const inForce = names.find(p => rules.every(row => { const def = defs.find(d => d.name === row.setting); return !def || (row[p] === null ? def.source !== 'site' : def.value === row[p]); }));

	if (inForce)
		chosen.querySelector(`[value="${inForce}"]`).checked = true;
	else
		chosen.append(h('p', { class: 'hint' }, t('no profile')));
	put(a.body, card(t('part', 'recognition'), h('form', { onsubmit: e => {
		e.preventDefault();
		const picked = chosen.querySelector('input:checked');

		if (picked)
			call(a, answer, 'apply_recognition_profile', { idsite: a.site, profile: picked.value }, () => recognition(a));
	} }, chosen, h('button', { type: 'submit' }, t('apply')), answer)), card(t('what profiles set'), h('p', { class: 'hint' }, t('profiles hint')), table(t('what profiles set'), Object.keys(profiles[0]), rules)), card(t('what it sets'), defs.map(def => setting(a, def, a.site))));
}

/* ---- goals, dimensions, tokens ---- */

async function goals(a) {
	const rows = (await get('admin/goals', { idsite: a.site })).rows.filter(row => !row.deleted);
	const name = h('input', { required: true }), what = h('select', null, ['url', 'title', 'file', 'external_website', 'event_category', 'event_action', 'event_name', 'manually', 'visit_duration'].map(v => h('option', { value: v }, t('goal by', v))));
	const how = h('select', null, ['contains', 'exact', 'regex', 'greater_than'].map(v => h('option', { value: v }, t('pattern', v)))), pattern = h('input', { spellcheck: 'false' }), revenue = h('input', { type: 'number', min: 0, step: 'any', value: 0 });
	const many = h('input', { type: 'checkbox' }), answer = h('span', { class: 'answer' });

	/* a duration is compared as a number, and what the page calls has no pattern */
	what.addEventListener('input', () => {
		how.disabled = pattern.disabled = what.value === 'manually';
		how.value = what.value === 'visit_duration' ? 'greater_than' : how.value === 'greater_than' ? 'contains' : how.value;
	});

	put(a.body, card(t('part', 'goals'), rows.length ? table(t('part', 'goals'), ['idgoal', 'name', 'match_attribute', 'pattern_type', 'pattern', 'revenue', 'retire'], rows, (row, c) => c !== 'retire' ? text(c === 'match_attribute' ? t('goal by', row[c]) : c === 'pattern_type' && row[c] ? t('pattern', row[c]) : row[c]) : h('button', { type: 'button', 'aria-label': t('retire goal', row.name),
			onclick: e => call(a, e.target.parentNode, 'retire_goal', { idsite: a.site, idgoal: row.idgoal }, () => goals(a)) }, t('retire'))) : h('p', { class: 'empty' }, t('none yet'))),
		card(t('add goal'), h('form', { class: 'grid', onsubmit: e => {
			e.preventDefault();
			const args = { idsite: a.site, name: name.value, match_attribute: what.value, allow_multiple: many.checked, revenue: Number(revenue.value) };

			call(a, answer, 'add_goal', what.value === 'manually' ? args : Object.assign(args, { pattern: pattern.value, pattern_type: how.value }), () => goals(a));
		} }, field(t('column', 'name'), name), field(t('column', 'match_attribute'), what), field(t('column', 'pattern_type'), how), field(t('column', 'pattern'), pattern), field(t('column', 'revenue'), revenue), h('label', { class: 'tick' }, many, ' ', t('many times')), h('div', null, h('button', { type: 'submit' }, t('add')), answer))));
}

async function dimensions(a) {
	const { rows } = await get('admin/dimensions', { idsite: a.site });
	const name = h('input', { required: true }), scope = h('select', null, ['visit', 'action'].map(v => h('option', { value: v }, v))), answer = h('span', { class: 'answer' });

	put(a.body, card(t('part', 'dimensions'), rows.length ? table(t('part', 'dimensions'), ['iddimension', 'name', 'scope', 'active'], rows, (row, c) => c !== 'active' ? text(row[c]) : h('button', { type: 'button', 'aria-pressed': String(row.active), 'aria-label': t('dimension is active', row.name),
			onclick: e => call(a, e.target.parentNode, 'set_dimension_active', { idsite: a.site, iddimension: row.iddimension, active: !row.active }, () => a.renew({})) }, t(row.active ? 'on' : 'off'))) : h('p', { class: 'empty' }, t('none yet'))),
		card(t('add dimension'), h('p', { class: 'hint' }, t('dimension hint')), h('form', { class: 'grid', onsubmit: e => { e.preventDefault(); call(a, answer, 'add_dimension', { idsite: a.site, name: name.value, scope: scope.value }, () => a.renew({})); } },
			field(t('column', 'name'), name), field(t('column', 'scope'), scope), h('div', null, h('button', { type: 'submit' }, t('add')), answer))));
}

/* Named filters: each can be changed, and the filters of the address get a name. */
async function segments(a) {
	const { rows } = await get('admin/segments', { idsite: a.site });
	const name = h('input', { required: true, maxlength: 100 }), filter = h('input', { class: 'long', required: true, spellcheck: 'false', placeholder: 'countryCode==de;deviceType==smartphone', value: a.state.filter });
	const answer = h('span', { class: 'answer' });
	const again = () => a.renew({});
	const line = row => {
		const changed = h('input', { value: row.filter, required: true, spellcheck: 'false', 'aria-label': t('column', 'filter') }), said = h('span', { class: 'answer' });

		return h('form', { class: 'setting', 'data-segment': row.name, onsubmit: e => { e.preventDefault(); call(a, said, 'set_segment', { idsite: a.site, name: row.name, filter: changed.value }, again); } },
			h('div', null, h('strong', null, row.name), h('p', null, conditions(row.filter).map(c => readCondition(c, a.state.dimensions)).join('; '))),
			h('div', { class: 'control' }, changed, h('button', { type: 'submit', 'aria-label': t('save filter of', row.name) }, t('save')), h('button', { type: 'button', 'aria-label': t('drop filter', row.name), onclick: () => call(a, said, 'drop_segment', { idsite: a.site, name: row.name }, again) }, t('drop')), said));
	};

	put(a.body, card(t('part', 'segments'), h('p', { class: 'hint' }, t('filters hint')), rows.length ? rows.map(line) : h('p', { class: 'empty' }, t('none yet'))),
		card(t('add filter named'), h('form', { class: 'grid', onsubmit: e => { e.preventDefault(); call(a, answer, 'add_segment', { idsite: a.site, name: name.value, filter: filter.value }, again); } },
			field(t('column', 'name'), name), field(t('column', 'filter'), filter), h('div', null, h('button', { type: 'submit' }, t('add')), answer))));
}

/* Tokens by which hits are sent, tokens by which scripts read, and public links. */
async function allTokens() {
	const [sending, reading] = await Promise.all(['tracking_tokens', 'tokens'].map(name => get('admin/' + name).then(x => x.rows)));

	return [...sending.map(row => Object.assign({ kind: t('token tracking'), sends: true }, row)), ...reading.map(row => Object.assign({ kind: t(row.idsite === null ? 'token reading' : 'token public') }, row))];
}

async function tokens(a) {
	const name = h('input', { required: true }), expires = h('input', { type: 'date' }), answer = h('span', { class: 'answer' }), shown = h('div', { class: 'once' });
	const kind = h('select', null, ['tracking', 'reading', 'public'].map(k => h('option', { value: k }, t('token ' + k))));
	const list = h('div', null);
	const draw = async () => {
		const rows = await allTokens();

		put(list, rows.length ? table(t('part', 'tokens'), ['name', 'kind', 'website', 'hash', 'created', 'expires', 'drop'], rows, (row, c) => c === 'created' || c === 'expires' ? text(row[c]).slice(0, 10) : c !== 'drop' ? text(row[c === 'website' ? 'idsite' : c]) : h('button', { type: 'button', 'aria-label': t('drop token', row.name),
			onclick: e => call(a, e.target.parentNode, row.sends ? 'drop_token' : 'drop_web_token', { hash: row.hash }, draw) }, t('drop'))) : h('p', { class: 'empty' }, t('none yet')));
	};

	await draw();
	put(a.body, card(t('part', 'tokens'), list), card(t('add token'), h('form', { class: 'grid', onsubmit: e => {
		e.preventDefault();
		const args = Object.assign({ name: name.value }, expires.value ? { expires: expires.value } : null);

		call(a, answer, kind.value === 'tracking' ? 'create_token' : 'create_web_token', kind.value === 'reading' ? args : Object.assign({ idsite: a.site }, args), async token => {
			put(shown, h('p', null, t('token once')), h('pre', { tabindex: 0 }, kind.value === 'public' ? location.origin + '/public/' + token : token));
			await draw();
		});
	} }, field(t('column', 'name'), name), field(t('kind of token'), kind), field(t('expires on'), expires), h('div', null, h('button', { type: 'submit' }, t('add')), answer)), shown));
}

/* ---- status, users ---- */

async function status(a) {
	const { rows } = await get('admin/status').catch(e => { throw e.status === 403 ? new Problem(403, t('status denied')) : e; });
	const wants = rows.filter(r => r.remark), fine = rows.filter(r => !r.remark);

	put(a.body, card(t('wants attention'), wants.length ? table(t('wants attention'), ['item', 'value', 'remark'], wants) : h('p', { class: 'empty' }, t('all well'))),
		card(t('in order'), table(t('in order'), ['item', 'value'], fine)));
}

async function users(a) {
	const list = await get('admin/users').then(({ rows }) => rows.length ? table(t('part', 'users'), Object.keys(rows[0]), rows, (row, c) => c === 'sites' && row.sites === null ? t('all sites') : text(row[c])) : h('p', { class: 'empty' }, t('none yet')), problem);
	const name = h('input', { value: 'ann', spellcheck: 'false' }), kind = h('select', null, ['analyst', 'admin'].map(k => h('option', { value: k }, t('user ' + k)))), every = h('input', { type: 'checkbox' }), code = h('pre', { tabindex: 0 });
	/* as quote_ident() does */
	const ident = word => /^[a-z_][a-z0-9_]*$/.test(word) ? word : '"' + word.replace(/"/g, '""') + '"', literal = word => "'" + word.replace(/'/g, "''") + "'";
	const show = () => {
		code.textContent = [`CREATE ROLE ${ident(name.value)} LOGIN;`, `\\password ${ident(name.value)}`,
			`SELECT pk_tracking.grant_${kind.value}(${literal(name.value)}${every.checked ? '' : `, '{${a.site}}'`});`, `SELECT pk_tracking.grant_web(${literal(name.value)}${a.daemon === 'pk_tracking_web' ? '' : ', ' + literal(a.daemon)});`].join('\n');
	};

	[name, kind, every].forEach(x => x.addEventListener('input', show));
	show();
	put(a.body, card(t('part', 'users'), list),
		card(t('add user'), h('p', { class: 'hint' }, t('users hint')), h('div', { class: 'row' }, field(t('user'), name), field(t('rights'), kind), h('label', { class: 'tick' }, every, ' ', t('all sites'))), code));
}
