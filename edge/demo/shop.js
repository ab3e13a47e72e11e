/*
 * A shop that exists to be tracked: script/demo puts it on loopback.  config.js,
 * which it writes, loads pk.js.  Nothing is sold; the cart stays in the browser.
 */
(function () {
	'use strict';

	const PRODUCTS = [
		{ sku: 'MUG-1', name: 'Stoneware mug', category: 'Kitchen', price: 14.5, tint: '#f3dfc9', text: 'Holds a third of a litre, and keeps it warm.',
			art: '<path d="M125 95h110v95a30 30 0 0 1-30 30h-50a30 30 0 0 1-30-30z" fill="#b5532d"/><path d="M235 115h20a28 28 0 0 1 0 60h-20" fill="none" stroke="#b5532d" stroke-width="16"/><path d="M125 125h110v14H125z" fill="#f6e9d8"/>' },
		{ sku: 'POT-1', name: 'Teapot', category: 'Kitchen', price: 39, tint: '#d6e4e8', text: 'Cast iron, with a sieve of steel.',
			art: '<ellipse cx="190" cy="165" rx="80" ry="62" fill="#2f4858"/><path d="M115 150 70 110l14-10 45 25z" fill="#2f4858"/><path d="M262 130a38 38 0 0 1 0 70" fill="none" stroke="#2f4858" stroke-width="14"/><rect x="150" y="96" width="80" height="14" rx="7" fill="#1d2f3a"/><circle cx="190" cy="86" r="11" fill="#1d2f3a"/>' },
		{ sku: 'LAMP-1', name: 'Reading lamp', category: 'Living', price: 64, tint: '#f6ecc6', text: 'Warm light where you sit, and none where others sleep.',
			art: '<path d="M150 60h90l32 74H118z" fill="#d99a1c"/><path d="M190 134h10v90h-10z" fill="#4a4a48"/><rect x="145" y="222" width="100" height="14" rx="7" fill="#4a4a48"/>' },
		{ sku: 'RUG-1', name: 'Wool blanket', category: 'Living', price: 79, tint: '#e6ddea', text: 'New wool, woven close, 140 by 200 centimetres.',
			art: '<rect x="110" y="75" width="170" height="150" rx="10" fill="#74528c"/><path d="M110 105h170v14H110zM110 143h170v14H110zM110 181h170v14H110z" fill="#cdb8da"/>' },
		{ sku: 'BOOK-1', name: 'Notebook', category: 'Desk', price: 9.8, tint: '#dbe8da', text: 'Two hundred pages that lie flat.',
			art: '<rect x="130" y="60" width="130" height="175" rx="8" fill="#1f5c4d"/><rect x="146" y="60" width="12" height="175" fill="#17463b"/><rect x="180" y="95" width="60" height="34" rx="4" fill="#f2efe4"/>' },
		{ sku: 'PEN-1', name: 'Fountain pen', category: 'Desk', price: 28, tint: '#dfe2f0', text: 'A fine nib, a brass body, a cartridge or a piston.',
			art: '<g transform="rotate(-35 195 150)"><rect x="95" y="138" width="150" height="26" rx="8" fill="#2c3e8c"/><path d="M245 140l48 11-48 11z" fill="#c9a227"/><rect x="228" y="138" width="18" height="26" fill="#c9a227"/></g>' }
	];
	const { config } = window;
	const money = value => '€\u00a0' + value.toFixed(2);
	const escape = text => text.replace(/[&<>"]/g, c => '&#' + c.charCodeAt(0) + ';');
	const query = name => new URLSearchParams(location.search).get(name) || '';
	const find = sku => PRODUCTS.find(p => p.sku === sku);
	const main = document.getElementById('main');

	const pk = (...call) => window.pk(...call);

	/* ---- the cart: numbers of pieces by SKU ---- */

	const read = () => JSON.parse(localStorage.getItem('cart') || '{}');
	const items = () => Object.entries(read()).filter(([sku]) => find(sku))
		.map(([sku, quantity]) => ({ ...find(sku), quantity }));
	const total = list => list.reduce((sum, i) => sum + i.price * i.quantity, 0);

	function put(sku, quantity) {
		const cart = read();

		cart[sku] = quantity;
		if (!quantity)
			delete cart[sku];
		localStorage.setItem('cart', JSON.stringify(cart));
		pk('cart', { revenue: total(items()), items: items() });
	}

	/* ---- pieces ---- */

	const picture = p => `<svg class="picture" viewBox="0 0 400 300" role="img" aria-label="${p.name}"><rect width="400" height="300" fill="${p.tint}"/>${p.art}</svg>`;
	const list = products => `<ul class="list">${products.map(p => `<li><a class="card" href="product.html?sku=${p.sku}">${picture(p)}<div><strong>${p.name}</strong><span>${p.category} · ${money(p.price)}</span></div></a></li>`).join('')}</ul>`;

	function frame() {
		const count = items().reduce((sum, i) => sum + i.quantity, 0);

		document.getElementById('top').innerHTML = `<a class="name" href="index.html"><img src="icon.svg" alt="">Corner shop</a>
			<form action="search.html" role="search"><input type="search" name="q" aria-label="Search the shop" placeholder="Search" value="${escape(query('q'))}"><button>Find</button></form>
			<a class="basket" href="cart.html">Cart (${count})</a>`;
		document.getElementById('end').innerHTML = `<fieldset><legend>May this shop recognise you?</legend>
			<button type="button" class="plain" data-said="granted">I agree</button>
			<button type="button" class="plain" data-said="denied">I refuse</button></fieldset>
			Nothing here is for sale. What you do is recorded, and this shows it: <code>${escape(config.look)}</code>`;
		showDecision();
	}

	/* The switch shows what was said; a page that says nothing is tracked anonymously. */
	function showDecision() {
		for (const button of document.querySelectorAll('[data-said]'))
			button.setAttribute('aria-pressed', button.dataset.said === localStorage.getItem('said'));
	}

	function showCart() {
		const rows = items();

		main.innerHTML = '<h1>Cart</h1>' + (rows.length ? `<table><tr><th>Thing</th><th>Pieces</th><th>Price</th><th></th></tr>${rows.map(i => `<tr><td>${i.name}</td><td>${i.quantity}</td><td>${money(i.price * i.quantity)}</td><td><button type="button" class="plain" data-sku="${i.sku}" aria-label="Remove ${i.name}">×</button></td></tr>`).join('')}<tr><th>Total</th><th></th><th>${money(total(rows))}</th><th></th></tr></table>
			<div class="actions"><button type="button" id="order">Order</button></div>` :
			'<p class="lead">There is nothing in it. <a href="index.html">Look around</a>.</p>');
	}

	/* ---- pages; each ends with its page view ---- */

	const pages = {
		index() {
			main.innerHTML = '<h1>Things for home</h1><p class="lead">Six things, made to last longer than this demonstration.</p>' + list(PRODUCTS);
			pk('page');
		},
		product() {
			const p = find(query('sku'));

			if (!p) {
				location.replace('index.html');
				return;
			}
			document.title = p.name + ' – Corner shop';
			main.innerHTML = `<article class="product">${picture(p)}<div><h1>${p.name}</h1><p class="lead">${p.category}</p>
				<p>${p.text}</p><p class="price">${money(p.price)}</p><button type="button" id="add">Put into the cart</button></div></article>`;
			document.getElementById('add').onclick = () => {
				put(p.sku, (read()[p.sku] || 0) + 1);
				frame();
			};
			pk('product', p);
			pk('page');
		},
		search() {
			const words = query('q').toLowerCase();
			const found = PRODUCTS.filter(p => (p.name + ' ' + p.category + ' ' + p.text).toLowerCase().includes(words));

			main.innerHTML = `<h1>${found.length || 'No'} ${found.length === 1 ? 'thing' : 'things'} for “${escape(query('q'))}”</h1><p class="lead">Names, groups and texts are searched.</p>` + list(found);
			pk('search', query('q'), '', found.length);
		},
		cart() {
			showCart();
			pk('page');
		},
		order() {
			const rows = JSON.parse(sessionStorage.getItem('order') || '[]');
			const id = 'demo-' + Date.now().toString(36);

			sessionStorage.removeItem('order');
			main.innerHTML = `<h1>Thank you</h1><p class="lead">${rows.length ? `Your order ${id} is worth ${money(total(rows))}, and will never arrive.` : 'There was nothing to order.'}</p><div class="actions"><a class="button" href="index.html">Back to the shop</a></div>`;
			pk('page');
			if (rows.length)
				pk('order', { id, revenue: total(rows), subtotal: total(rows), items: rows });
		}
	};

	/* ---- the start ---- */

	document.addEventListener('click', event => {
		const { id, dataset: { said, sku } } = event.target;

		if (sku) {
			put(sku, 0);
			frame();
			showCart();
		}
		if (id === 'order') {
			sessionStorage.setItem('order', JSON.stringify(items()));
			localStorage.removeItem('cart');
			location.href = 'order.html';
		}
		if (said) {
			localStorage.setItem('said', said);
			pk('consent', said);
			showDecision();
		}
	});
	frame();
	pages[document.body.dataset.page]();
})();
