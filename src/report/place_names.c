/*
 * place_names.c
 *		Names of countries and languages, in English.
 *
 * The names are those of the Unicode CLDR, which Matomo shows, too; they are written
 * in UTF-8.  In a database of another encoding a name with other letters than
 * ASCII's is not known.
 */
#include "postgres.h"

#include "common/string.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(pkt_country_name);
PG_FUNCTION_INFO_V1(pkt_language_name);

typedef struct PlaceName
{
	const char *code;
	const char *name;
} PlaceName;

/* ISO 3166-1 alpha-2, in the order of the codes. */
static const PlaceName countries[] = {
	{"ad", "Andorra"}, {"ae", "United Arab Emirates"}, {"af", "Afghanistan"},
	{"ag", "Antigua & Barbuda"}, {"ai", "Anguilla"}, {"al", "Albania"}, {"am", "Armenia"},
	{"ao", "Angola"}, {"aq", "Antarctica"}, {"ar", "Argentina"}, {"as", "American Samoa"},
	{"at", "Austria"}, {"au", "Australia"}, {"aw", "Aruba"}, {"ax", "\xC3\x85land Islands"},
	{"az", "Azerbaijan"}, {"ba", "Bosnia & Herzegovina"}, {"bb", "Barbados"},
	{"bd", "Bangladesh"}, {"be", "Belgium"}, {"bf", "Burkina Faso"}, {"bg", "Bulgaria"},
	{"bh", "Bahrain"}, {"bi", "Burundi"}, {"bj", "Benin"}, {"bl", "St. Barth\xC3\xA9lemy"},
	{"bm", "Bermuda"}, {"bn", "Brunei"}, {"bo", "Bolivia"}, {"bq", "Caribbean Netherlands"},
	{"br", "Brazil"}, {"bs", "Bahamas"}, {"bt", "Bhutan"}, {"bv", "Bouvet Island"},
	{"bw", "Botswana"}, {"by", "Belarus"}, {"bz", "Belize"}, {"ca", "Canada"},
	{"cc", "Cocos (Keeling) Islands"}, {"cd", "Congo - Kinshasa"},
	{"cf", "Central African Republic"}, {"cg", "Congo - Brazzaville"}, {"ch", "Switzerland"},
	{"ci", "C\xC3\xB4te d\xE2\x80\x99Ivoire"}, {"ck", "Cook Islands"}, {"cl", "Chile"},
	{"cm", "Cameroon"}, {"cn", "China"}, {"co", "Colombia"}, {"cr", "Costa Rica"},
	{"cu", "Cuba"}, {"cv", "Cape Verde"}, {"cw", "Cura\xC3\xA7" "ao"},
	{"cx", "Christmas Island"}, {"cy", "Cyprus"}, {"cz", "Czechia"}, {"de", "Germany"},
	{"dj", "Djibouti"}, {"dk", "Denmark"}, {"dm", "Dominica"}, {"do", "Dominican Republic"},
	{"dz", "Algeria"}, {"ec", "Ecuador"}, {"ee", "Estonia"}, {"eg", "Egypt"},
	{"eh", "Western Sahara"}, {"er", "Eritrea"}, {"es", "Spain"}, {"et", "Ethiopia"},
	{"fi", "Finland"}, {"fj", "Fiji"}, {"fk", "Falkland Islands"}, {"fm", "Micronesia"},
	{"fo", "Faroe Islands"}, {"fr", "France"}, {"ga", "Gabon"}, {"gb", "United Kingdom"},
	{"gd", "Grenada"}, {"ge", "Georgia"}, {"gf", "French Guiana"}, {"gg", "Guernsey"},
	{"gh", "Ghana"}, {"gi", "Gibraltar"}, {"gl", "Greenland"}, {"gm", "Gambia"},
	{"gn", "Guinea"}, {"gp", "Guadeloupe"}, {"gq", "Equatorial Guinea"}, {"gr", "Greece"},
	{"gs", "South Georgia & South Sandwich Islands"}, {"gt", "Guatemala"}, {"gu", "Guam"},
	{"gw", "Guinea-Bissau"}, {"gy", "Guyana"}, {"hk", "Hong Kong SAR China"},
	{"hm", "Heard & McDonald Islands"}, {"hn", "Honduras"}, {"hr", "Croatia"}, {"ht", "Haiti"},
	{"hu", "Hungary"}, {"id", "Indonesia"}, {"ie", "Ireland"}, {"il", "Israel"},
	{"im", "Isle of Man"}, {"in", "India"}, {"io", "British Indian Ocean Territory"},
	{"iq", "Iraq"}, {"ir", "Iran"}, {"is", "Iceland"}, {"it", "Italy"}, {"je", "Jersey"},
	{"jm", "Jamaica"}, {"jo", "Jordan"}, {"jp", "Japan"}, {"ke", "Kenya"}, {"kg", "Kyrgyzstan"},
	{"kh", "Cambodia"}, {"ki", "Kiribati"}, {"km", "Comoros"}, {"kn", "St. Kitts & Nevis"},
	{"kp", "North Korea"}, {"kr", "South Korea"}, {"kw", "Kuwait"}, {"ky", "Cayman Islands"},
	{"kz", "Kazakhstan"}, {"la", "Laos"}, {"lb", "Lebanon"}, {"lc", "St. Lucia"},
	{"li", "Liechtenstein"}, {"lk", "Sri Lanka"}, {"lr", "Liberia"}, {"ls", "Lesotho"},
	{"lt", "Lithuania"}, {"lu", "Luxembourg"}, {"lv", "Latvia"}, {"ly", "Libya"},
	{"ma", "Morocco"}, {"mc", "Monaco"}, {"md", "Moldova"}, {"me", "Montenegro"},
	{"mf", "St. Martin"}, {"mg", "Madagascar"}, {"mh", "Marshall Islands"},
	{"mk", "North Macedonia"}, {"ml", "Mali"}, {"mm", "Myanmar (Burma)"}, {"mn", "Mongolia"},
	{"mo", "Macao SAR China"}, {"mp", "Northern Mariana Islands"}, {"mq", "Martinique"},
	{"mr", "Mauritania"}, {"ms", "Montserrat"}, {"mt", "Malta"}, {"mu", "Mauritius"},
	{"mv", "Maldives"}, {"mw", "Malawi"}, {"mx", "Mexico"}, {"my", "Malaysia"},
	{"mz", "Mozambique"}, {"na", "Namibia"}, {"nc", "New Caledonia"}, {"ne", "Niger"},
	{"nf", "Norfolk Island"}, {"ng", "Nigeria"}, {"ni", "Nicaragua"}, {"nl", "Netherlands"},
	{"no", "Norway"}, {"np", "Nepal"}, {"nr", "Nauru"}, {"nu", "Niue"}, {"nz", "New Zealand"},
	{"om", "Oman"}, {"pa", "Panama"}, {"pe", "Peru"}, {"pf", "French Polynesia"},
	{"pg", "Papua New Guinea"}, {"ph", "Philippines"}, {"pk", "Pakistan"}, {"pl", "Poland"},
	{"pm", "St. Pierre & Miquelon"}, {"pn", "Pitcairn Islands"}, {"pr", "Puerto Rico"},
	{"ps", "Palestinian Territories"}, {"pt", "Portugal"}, {"pw", "Palau"}, {"py", "Paraguay"},
	{"qa", "Qatar"}, {"re", "R\xC3\xA9union"}, {"ro", "Romania"}, {"rs", "Serbia"},
	{"ru", "Russia"}, {"rw", "Rwanda"}, {"sa", "Saudi Arabia"}, {"sb", "Solomon Islands"},
	{"sc", "Seychelles"}, {"sd", "Sudan"}, {"se", "Sweden"}, {"sg", "Singapore"},
	{"sh", "St. Helena"}, {"si", "Slovenia"}, {"sj", "Svalbard & Jan Mayen"},
	{"sk", "Slovakia"}, {"sl", "Sierra Leone"}, {"sm", "San Marino"}, {"sn", "Senegal"},
	{"so", "Somalia"}, {"sr", "Suriname"}, {"ss", "South Sudan"},
	{"st", "S\xC3\xA3o Tom\xC3\xA9 & Pr\xC3\xADncipe"}, {"sv", "El Salvador"},
	{"sx", "Sint Maarten"}, {"sy", "Syria"}, {"sz", "Eswatini"},
	{"tc", "Turks & Caicos Islands"}, {"td", "Chad"}, {"tf", "French Southern Territories"},
	{"tg", "Togo"}, {"th", "Thailand"}, {"tj", "Tajikistan"}, {"tk", "Tokelau"},
	{"tl", "Timor-Leste"}, {"tm", "Turkmenistan"}, {"tn", "Tunisia"}, {"to", "Tonga"},
	{"tr", "T\xC3\xBCrkiye"}, {"tt", "Trinidad & Tobago"}, {"tv", "Tuvalu"}, {"tw", "Taiwan"},
	{"tz", "Tanzania"}, {"ua", "Ukraine"}, {"ug", "Uganda"}, {"um", "U.S. Outlying Islands"},
	{"us", "United States"}, {"uy", "Uruguay"}, {"uz", "Uzbekistan"}, {"va", "Vatican City"},
	{"vc", "St. Vincent & Grenadines"}, {"ve", "Venezuela"}, {"vg", "British Virgin Islands"},
	{"vi", "U.S. Virgin Islands"}, {"vn", "Vietnam"}, {"vu", "Vanuatu"},
	{"wf", "Wallis & Futuna"}, {"ws", "Samoa"}, {"xk", "Kosovo"}, {"ye", "Yemen"},
	{"yt", "Mayotte"}, {"za", "South Africa"}, {"zm", "Zambia"}, {"zw", "Zimbabwe"}
};

/* ISO 639-1 and a few more, in the order of the codes. */
static const PlaceName languages[] = {
	{"aa", "Afar"}, {"ab", "Abkhazian"}, {"ae", "Avestan"}, {"af", "Afrikaans"}, {"ak", "Akan"},
	{"am", "Amharic"}, {"an", "Aragonese"}, {"ar", "Arabic"}, {"as", "Assamese"},
	{"ast", "Asturian"}, {"av", "Avaric"}, {"ay", "Aymara"}, {"az", "Azerbaijani"},
	{"ba", "Bashkir"}, {"be", "Belarusian"}, {"bg", "Bulgarian"}, {"bh", "Bhojpuri"},
	{"bi", "Bislama"}, {"bm", "Bambara"}, {"bn", "Bangla"}, {"bo", "Tibetan"}, {"br", "Breton"},
	{"bs", "Bosnian"}, {"ca", "Catalan"}, {"ce", "Chechen"}, {"ch", "Chamorro"},
	{"chr", "Cherokee"}, {"ckb", "Central Kurdish"}, {"co", "Corsican"}, {"cr", "Cree"},
	{"cs", "Czech"}, {"cu", "Church Slavic"}, {"cv", "Chuvash"}, {"cy", "Welsh"},
	{"da", "Danish"}, {"de", "German"}, {"dv", "Divehi"}, {"dz", "Dzongkha"}, {"ee", "Ewe"},
	{"el", "Greek"}, {"en", "English"}, {"eo", "Esperanto"}, {"es", "Spanish"},
	{"et", "Estonian"}, {"eu", "Basque"}, {"fa", "Persian"}, {"ff", "Fula"}, {"fi", "Finnish"},
	{"fil", "Filipino"}, {"fj", "Fijian"}, {"fo", "Faroese"}, {"fr", "French"},
	{"fy", "Western Frisian"}, {"ga", "Irish"}, {"gd", "Scottish Gaelic"}, {"gl", "Galician"},
	{"gn", "Guarani"}, {"gsw", "Swiss German"}, {"gu", "Gujarati"}, {"gv", "Manx"},
	{"ha", "Hausa"}, {"haw", "Hawaiian"}, {"he", "Hebrew"}, {"hi", "Hindi"}, {"hmn", "Hmong"},
	{"ho", "Hiri Motu"}, {"hr", "Croatian"}, {"ht", "Haitian Creole"}, {"hu", "Hungarian"},
	{"hy", "Armenian"}, {"hz", "Herero"}, {"ia", "Interlingua"}, {"id", "Indonesian"},
	{"ie", "Interlingue"}, {"ig", "Igbo"}, {"ii", "Sichuan Yi"}, {"ik", "Inupiaq"},
	{"io", "Ido"}, {"is", "Icelandic"}, {"it", "Italian"}, {"iu", "Inuktitut"},
	{"ja", "Japanese"}, {"jv", "Javanese"}, {"ka", "Georgian"}, {"kg", "Kongo"},
	{"ki", "Kikuyu"}, {"kj", "Kuanyama"}, {"kk", "Kazakh"}, {"kl", "Kalaallisut"},
	{"km", "Khmer"}, {"kn", "Kannada"}, {"ko", "Korean"}, {"kok", "Konkani"}, {"kr", "Kanuri"},
	{"ks", "Kashmiri"}, {"ku", "Kurdish"}, {"kv", "Komi"}, {"kw", "Cornish"}, {"ky", "Kyrgyz"},
	{"la", "Latin"}, {"lb", "Luxembourgish"}, {"lg", "Ganda"}, {"li", "Limburgish"},
	{"ln", "Lingala"}, {"lo", "Lao"}, {"lt", "Lithuanian"}, {"lu", "Luba-Katanga"},
	{"lv", "Latvian"}, {"mg", "Malagasy"}, {"mh", "Marshallese"}, {"mi", "M\xC4\x81ori"},
	{"mk", "Macedonian"}, {"ml", "Malayalam"}, {"mn", "Mongolian"}, {"mni", "Manipuri"},
	{"mr", "Marathi"}, {"ms", "Malay"}, {"mt", "Maltese"}, {"my", "Burmese"}, {"na", "Nauru"},
	{"nb", "Norwegian Bokm\xC3\xA5l"}, {"nd", "North Ndebele"}, {"ne", "Nepali"},
	{"ng", "Ndonga"}, {"nl", "Dutch"}, {"nn", "Norwegian Nynorsk"}, {"no", "Norwegian"},
	{"nr", "South Ndebele"}, {"nv", "Navajo"}, {"ny", "Nyanja"}, {"oc", "Occitan"},
	{"oj", "Ojibwa"}, {"om", "Oromo"}, {"or", "Odia"}, {"os", "Ossetic"}, {"pa", "Punjabi"},
	{"pi", "Pali"}, {"pl", "Polish"}, {"ps", "Pashto"}, {"pt", "Portuguese"}, {"qu", "Quechua"},
	{"rm", "Romansh"}, {"rn", "Rundi"}, {"ro", "Romanian"}, {"ru", "Russian"},
	{"rw", "Kinyarwanda"}, {"sa", "Sanskrit"}, {"sc", "Sardinian"}, {"sd", "Sindhi"},
	{"se", "Northern Sami"}, {"sg", "Sango"}, {"si", "Sinhala"}, {"sk", "Slovak"},
	{"sl", "Slovenian"}, {"sm", "Samoan"}, {"sn", "Shona"}, {"so", "Somali"},
	{"sq", "Albanian"}, {"sr", "Serbian"}, {"ss", "Swati"}, {"st", "Southern Sotho"},
	{"su", "Sundanese"}, {"sv", "Swedish"}, {"sw", "Swahili"}, {"ta", "Tamil"},
	{"te", "Telugu"}, {"tg", "Tajik"}, {"th", "Thai"}, {"ti", "Tigrinya"}, {"tk", "Turkmen"},
	{"tl", "Filipino"}, {"tn", "Tswana"}, {"to", "Tongan"}, {"tr", "Turkish"}, {"ts", "Tsonga"},
	{"tt", "Tatar"}, {"tw", "Akan"}, {"ty", "Tahitian"}, {"ug", "Uyghur"}, {"uk", "Ukrainian"},
	{"ur", "Urdu"}, {"uz", "Uzbek"}, {"ve", "Venda"}, {"vi", "Vietnamese"},
	{"vo", "Volap\xC3\xBCk"}, {"wa", "Walloon"}, {"wo", "Wolof"}, {"xh", "Xhosa"},
	{"yi", "Yiddish"}, {"yo", "Yoruba"}, {"yue", "Cantonese"}, {"za", "Zhuang"},
	{"zgh", "Standard Moroccan Tamazight"}, {"zh", "Chinese"}, {"zu", "Zulu"}
};

/* The name of a code of len bytes, in any case, or NULL. */
static const char *
name_of(const PlaceName *names, int n, const char *code, int len)
{
	char		lower[4];
	int			low = 0;
	int			high = n - 1;

	if (len < 2 || len > 3)
		return NULL;
	for (int i = 0; i < len; i++)
		lower[i] = (char) pg_tolower((unsigned char) code[i]);
	lower[len] = '\0';
	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = strcmp(lower, names[middle].code);

		if (order == 0)
		{
			const char *name = names[middle].name;

			return GetDatabaseEncoding() == PG_UTF8 || pg_is_ascii(name) ? name : NULL;
		}
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

/* SQL: country_name(code text) -> text; NULL for an unknown code. */
Datum
pkt_country_name(PG_FUNCTION_ARGS)
{
	text	   *code = PG_GETARG_TEXT_PP(0);
	const char *name = name_of(countries, lengthof(countries),
							   VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));

	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

/*
 * SQL: language_name(code text) -> text; NULL for an unknown language.  The code may
 * name a country, too, as de-at: German - Austria.
 */
Datum
pkt_language_name(PG_FUNCTION_ARGS)
{
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			len = strcspn(code, "-");
	const char *region = strrchr(code, '-');
	const char *language = name_of(languages, lengthof(languages), code, len);
	const char *country = region == NULL ? NULL :
		name_of(countries, lengthof(countries), region + 1, strlen(region + 1));

	if (language == NULL)
		PG_RETURN_NULL();
	if (country == NULL)
		PG_RETURN_TEXT_P(cstring_to_text(language));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s - %s", language, country)));
}
