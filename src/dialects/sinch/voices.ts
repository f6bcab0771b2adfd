/** The vendor's voices by their locale; those of two speak either language. */
const voices: Readonly<Record<string, string>> = {
  arb: 'Zeina',
  'az-AZ': 'Banu Babek',
  'ca-ES': 'Arlet',
  'zh-HK': 'HiuGaai HiuMaan WanLung',
  'cmn-CN': 'Zhiyu',
  'hr-HR': 'Gabrijela Srecko',
  'cs-CZ': 'Vlasta Antonin',
  'da-DK': 'Naja Mads',
  'nl-NL': 'Lotte Ruben',
  'en-AU': 'Nicole Olivia Russell',
  'en-GB': 'Amy Emma Brian Arthur',
  'en-IN': 'Aditi Raveena Kajal',
  'en-NZ': 'Aria',
  'en-ZA': 'Ayanda',
  'en-US': 'Ivy Joanna Kendra Kimberly Salli Joey Justin Kevin Matthew',
  'en-GB-WLS': 'Geraint',
  'et-EE': 'Anu Kert',
  'fil-PH': 'Angelo Blessica',
  'fi-FI': 'Suvi',
  'fr-FR': 'Céline Celine Léa Lea Mathieu',
  'fr-CA': 'Chantal Gabrielle Liam',
  'ka-GE': 'Eka Giorgi',
  'de-DE': 'Marlene Vicki Hans Daniel',
  'de-AT': 'Hannah',
  'el-GR': 'Athina Nestoras',
  'hu-HU': 'Noemi Tamas',
  'is-IS': 'Dóra Dora Karl',
  'id-ID': 'Ardi Gadis',
  'it-IT': 'Carla Bianca Giorgio',
  'ja-JP': 'Mizuki Takumi',
  'ko-KR': 'Seoyeon',
  'mt-MT': 'Grace Joseph',
  'ms-MY': 'Osman Yasmin',
  'nb-NO': 'Liv',
  'lv-LV': 'Everita Nils',
  'lt-LT': 'Ona Leonas',
  'pl-PL': 'Ewa Maja Jacek Jan',
  'pt-BR': 'Camila Vitória Vitoria Ricardo',
  'pt-PT': 'Inês Ines Cristiano',
  'ro-RO': 'Carmen',
  'ru-RU': 'Tatyana Maxim',
  'es-ES': 'Conchita Lucia Enrique',
  'es-MX': 'Mia',
  'es-US': 'Lupe Penélope Penelope Miguel Pedro',
  'sk-SK': 'Viktoria Lukas',
  'sl-SI': 'Petra Rok',
  'sv-SE': 'Astrid',
  'th-TH': 'Achara Niwat Premwadee',
  'tr-TR': 'Filiz',
  'uk-UA': 'Polina Ostap',
  'uz-UZ': 'Madina Sardor',
  'vi-VN': 'HoaiMy NamMinh',
  'cy-GB': 'Gwyneth',
};

const localeOfVoice: ReadonlyMap<string, string> = new Map(
  Object.entries(voices).flatMap(([locale, names]) =>
    names.split(' ').map((name): [string, string] => [name.toLowerCase(), locale]),
  ),
);

export const defaultLocale = 'en-US';
const vendorLocales: Readonly<Record<string, string>> = { arb: 'ar', 'cmn-cn': 'zh-CN', 'uk-ua': 'uk-UA' };
const languageTag = /^[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,3}$/i;

/**
 * The language of a prompt, from the vendor's `locale`: a locale (`en-US`), one with a gender (`en-US/male`), or a
 * voice (`Joanna`). Our engines have voices of their own, so that a voice of the vendor's stands for its language; a
 * name that nobody knows goes to the engine as it is, with the default language.
 */
export function voiceOf(given: string | undefined): { locale: string; voice?: string } {
  const [name = ''] = (given ?? '').trim().split('/');
  if (name === '') return { locale: defaultLocale };
  const known = localeOfVoice.get(name.toLowerCase());
  if (known !== undefined) return { locale: vendorLocales[known.toLowerCase()] ?? known };
  if (!/[-_]/.test(name) && name.length > 3) return { locale: defaultLocale, voice: name };
  if (languageTag.test(name))
    return { locale: vendorLocales[name.toLowerCase()] ?? name.replaceAll('_', '-') };
  return { locale: defaultLocale, voice: name };
}
