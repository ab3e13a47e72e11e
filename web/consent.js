/*
 * consent.js: Privacy → Consent manager → Configure → Anonymous data tracking, with
 * what it does beside it, and the window in which visitors are asked, with a preview.
 */
import { t } from './texts.js';
import { h, put } from './base.js';
import { card, call, control, loadSettings } from './admin.js';

/* ---- the consent manager ---- */

const modeOf = (asks, anonymous) => !asks ? 'not_asked' : anonymous ? 'ask_else_anonymous' : 'ask_else_nothing';

/* What is stored of whom: that is what consent_mode means. */
const EFFECT = {
	not_asked: ['identified', 'identified', 'nothing'],
	ask_else_nothing: ['identified', 'nothing', 'nothing'],
	ask_else_anonymous: ['identified', 'anonymous', 'anonymous']
};

function effect(mode, choices) {
	return [h('h3', null, t('effect')), h('p', null, t('effect ' + mode)),
		h('table', null, h('thead', null, h('tr', null, ['who', 'stored'].map(c => h('th', { scope: 'col' }, t('column', c))))),
			h('tbody', null, ['agreed', 'undecided', 'refused'].map((who, i) => h('tr', null, h('th', { scope: 'row' }, t('who', who)), h('td', { 'data-who': who }, t('stored', EFFECT[mode][i])))))),
		mode === 'ask_else_anonymous' ? h('ul', { class: 'points' }, h('li', null, t('anonymous never')),
			h('li', null, t(choices.anonymous_session_cookie === 'on' ? 'joined by cookie' : choices.anonymous_fingerprint === 'on' ? 'joined by fingerprint' : 'joined by nothing')),
			h('li', null, t('anonymous place', choices.anonymous_geo_level)), h('li', null, t('anonymous device', choices.anonymous_device_level)), h('li', null, t('anonymous new'))) : null];
}

export async function consentManager(a) {
	const defs = Object.fromEntries((await loadSettings(a.site)).map(d => [d.name, d])), mode = defs.consent_mode.value;
	const open = a.state.own.configure === '1', beside = h('div', { class: 'beside', 'aria-live': 'polite' });

	if (!open) {
		put(a.body, h('div', { class: 'two' }, card(t('consent manager'), h('p', null, t('consent manager hint', a.state.siteRow.name)), h('p', null, h('strong', null, t('mode ' + mode))),
			h('button', { type: 'button', class: 'main', onclick: () => a.go({ configure: '1' }) }, t('configure')), ' ', h('button', { type: 'button', onclick: () => a.go({ part: 'window' }) }, t('part', 'window'))),
		h('section', { class: 'panel wide' }, beside)));
		put(beside, effect(mode, Object.fromEntries(Object.values(defs).map(d => [d.name, d.value]))));
		return;
	}
	const asks = h('input', { type: 'checkbox', role: 'switch', id: 'asks' }), anonymous = h('input', { type: 'checkbox', role: 'switch', id: 'anonymous' });
	const finer = ['anonymous_session_cookie', 'anonymous_fingerprint', 'anonymous_geo_level', 'anonymous_device_level', 'consent_upgrade'].map(name => [name, control(defs[name])]);
	const values = () => Object.fromEntries(finer.map(([name, c]) => [name, c.value()]));
	const answer = h('span', { class: 'answer' });
	const details = h('div', { class: 'finer' }, finer.map(([name, c]) => h('label', { class: 'field' }, h('span', null, t('setting', name)), c.element, h('small', null, defs[name].description))));
	const show = () => {
		anonymous.disabled = !asks.checked;
		details.hidden = !asks.checked || !anonymous.checked;
		put(beside, effect(modeOf(asks.checked, anonymous.checked), values()));
	};

	asks.checked = mode !== 'not_asked';
	anonymous.checked = mode === 'ask_else_anonymous';
	const form = h('form', { oninput: show, onsubmit: async e => {
		e.preventDefault();
		const wanted = Object.assign({ consent_mode: modeOf(asks.checked, anonymous.checked) }, anonymous.checked ? values() : {});

		answer.replaceChildren();
		for (const [setting, value] of Object.entries(wanted))
			if (value !== defs[setting].value && !answer.querySelector('.problem'))
				await call(a, answer, 'set_site', { idsite: a.site, setting, value }, () => { defs[setting].value = value; }, answer.children.length > 0);
		if (!answer.children.length)
			answer.append(h('span', { class: 'done' }, t('saved')));
	} },
	h('label', { class: 'switch' }, asks, h('span', null, h('strong', null, t('ask for consent')), h('small', null, t('ask hint')))),
	h('label', { class: 'switch' }, anonymous, h('span', null, h('strong', null, t('anonymous tracking')), h('small', null, t('anonymous hint')))), details,
	h('div', { class: 'row' }, h('button', { type: 'submit' }, t('save')), h('button', { type: 'button', onclick: () => a.go({ configure: '' }) }, t('back')), answer));

	put(a.body, h('p', { class: 'crumbs' }, [t('view', 'admin'), t('part', 'privacy'), t('consent manager'), t('configure')].join(' → ')), h('div', { class: 'two' }, card(t('consent manager'), form), h('section', { class: 'panel wide' }, beside)));
	show();
}

/* ---- the window ---- */

const WINDOW = { position: 'bottom', policy_url: '', ask_again_days: 180, colors: { background: '#ffffff', text: '#1f2328', button: '#1a4f8b', button_text: '#ffffff' },
	texts: { en: { title: 'May we recognise you?', text: 'If you agree, we store a number in your browser and recognise you by it when you come back. It tells us which pages help. You can change your mind at any time.', agree: 'Agree', refuse: 'Refuse', policy: 'Privacy policy' } } };

/* WCAG's contrast of two colours #rrggbb. */
function contrast(a, b) {
	const [x, y] = [a, b].map(c => {
		const [r, g, blue] = [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16) / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

		return 0.2126 * r + 0.7152 * g + 0.0722 * blue + 0.05;
	});

	return Math.max(x, y) / Math.min(x, y);
}

export async function windowEditor(a) {
	const def = (await loadSettings(a.site)).find(d => d.name === 'consent_window');
	let kept = {};

	try {
		kept = JSON.parse(def.value || '{}');
	} catch (e) { /* the setting is checked when it is set */ }
	const texts = kept.texts || WINDOW.texts, colors = Object.assign({}, WINDOW.colors, kept.colors);
	let language = Object.keys(texts).includes('en') ? 'en' : Object.keys(texts)[0];
	const input = (name, value, type = 'text') => h('input', { type, 'data-name': name, value, 'aria-describedby': null });
	const position = h('select', null, ['bottom', 'center', 'top'].map(p => h('option', { value: p, selected: p === (kept.position || WINDOW.position) }, t('position ' + p))));
	const policy = input('policy_url', kept.policy_url || ''), days = h('input', { type: 'number', min: 1, max: 3650, value: kept.ask_again_days || 180 });
	const palette = Object.fromEntries(Object.entries(colors).map(([name, value]) => [name, input(name, value, 'color')]));
	const words = Object.fromEntries(['title', 'text', 'agree', 'refuse', 'policy'].map(name => [name, name === 'text' ? h('textarea', { rows: 4 }) : h('input', { type: 'text' })]));
	const languages = h('select', { onchange: () => { language = languages.value; fillWords(); } }), added = h('input', { size: 4, maxlength: 8, placeholder: 'de', 'aria-label': t('language code') });
	const preview = h('div', { class: 'preview' }), warning = h('p', { class: 'problem', hidden: true }), answer = h('span', { class: 'answer' });
	const fillWords = () => {
		put(languages, Object.keys(texts).map(l => h('option', { value: l, selected: l === language }, l)));
		Object.entries(words).forEach(([name, x]) => { x.value = texts[language][name] || ''; });
		show();
	};

	function show() {
		Object.entries(words).forEach(([name, x]) => { texts[language][name] = x.value; });
		const window = h('div', { class: 'sample', lang: language }, h('strong', null, words.title.value), h('p', null, words.text.value, policy.value ? [' ', h('span', { class: 'sample-link' }, words.policy.value)] : null), h('div', { class: 'row' }, h('span', { class: 'sample-button' }, words.refuse.value), h('span', { class: 'sample-button' }, words.agree.value)));

		window.style.background = palette.background.value;
		window.style.color = palette.text.value;
		window.querySelectorAll('.sample-button').forEach(b => { b.style.background = palette.button.value; b.style.color = palette.button_text.value; });
		preview.dataset.position = position.value;
		put(preview, window);
		const low = contrast(palette.background.value, palette.text.value) < 4.5 || contrast(palette.button.value, palette.button_text.value) < 4.5;

		warning.hidden = !low;
		warning.textContent = low ? t('low contrast') : '';
	}
	const label = (text, x) => h('label', { class: 'field' }, h('span', null, text), x);

	put(a.body, h('div', { class: 'two' }, card(t('part', 'window'), h('form', { oninput: show, onsubmit: e => {
		e.preventDefault();
		const made = { position: position.value, ask_again_days: Number(days.value), colors: Object.fromEntries(Object.entries(palette).map(([n, x]) => [n, x.value])),
			texts: Object.fromEntries(Object.entries(texts).map(([l, all]) => [l, Object.fromEntries(Object.entries(all).filter(([n, v]) => v !== '' && (n !== 'policy' || policy.value)))])) };

		if (policy.value)
			made.policy_url = policy.value;
		call(a, answer, 'set_site', { idsite: a.site, setting: 'consent_window', value: JSON.stringify(made) });
	} },
	h('div', { class: 'row' }, label(t('position'), position), label(t('ask again'), days), label(t('policy url'), policy)),
	h('div', { class: 'row' }, Object.entries(palette).map(([name, x]) => label(t('colour ' + name), x))), warning,
	h('div', { class: 'row' }, label(t('language of texts'), languages), added, h('button', { type: 'button', onclick: () => {
		const code = added.value.trim().toLowerCase();

		if (/^[a-z]{2,3}(-[a-z0-9]+)*$/.test(code) && !Object.prototype.hasOwnProperty.call(texts, code)) {
			texts[code] = Object.assign({}, texts[language]);
			language = code;
			added.value = '';
			fillWords();
		}
	} }, t('add language'))),
	Object.entries(words).map(([name, x]) => label(t('text of', name), x)), h('div', { class: 'row' }, h('button', { type: 'submit' }, t('save')), answer))),
	card(t('preview'), preview)));
	fillWords();
}
