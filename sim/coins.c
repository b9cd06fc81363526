/* SPDX-License-Identifier: Apache-2.0 */
#include "coins.h"

#include <string.h>

/* Prices are plausible, not real; BTT and LUNC are made tiny to have many decimals and coins. */
const struct coin coins[] = {
    {"KRW-BTC", "비트코인", "Bitcoin", "158219000"},
    {"KRW-XRP", "엑스알피(리플)", "XRP", "3512"},
    {"KRW-ETH", "이더리움", "Ethereum", "5417000"},
    {"KRW-USDT", "테더", "Tether", "1463"},
    {"KRW-SOL", "솔라나", "Solana", "287500"},
    {"KRW-DOGE", "도지코인", "Dogecoin", "331"},
    {"KRW-BTT", "비트토렌트", "BitTorrent", "0.0000123"},
    {"KRW-SHIB", "시바이누", "Shiba Inu", "0.01746"},
    {"KRW-ADA", "에이다", "Ada", "1149"},
    {"KRW-TRX", "트론", "TRON", "474"},
    {"KRW-LUNC", "루나클래식", "Terra Classic", "0.00000567"},
    {"KRW-SUI", "수이", "Sui", "4725"},
    {"KRW-LINK", "체인링크", "Chainlink", "30150"},
    {"KRW-XLM", "스텔라루멘", "Lumen", "523"},
    {"KRW-BCH", "비트코인캐시", "Bitcoin Cash", "771500"},
    {"KRW-HBAR", "헤데라", "Hedera", "304"},
    {"KRW-AVAX", "아발란체", "Avalanche", "41230"},
    {"KRW-DOT", "폴카닷", "Polkadot", "5485"},
    {"KRW-PEPE", "페페", "Pepe", "0.01367"},
    {"KRW-ETC", "이더리움클래식", "Ethereum Classic", "27480"},
    {"KRW-NEAR", "니어프로토콜", "NEAR Protocol", "3842"},
    {"KRW-APT", "앱토스", "Aptos", "6030"},
    {"KRW-AAVE", "에이브", "Aave", "402500"},
    {"KRW-UNI", "유니스왑", "Uniswap", "11340"},
    {"KRW-ATOM", "코스모스", "Cosmos", "5980"},
    {"KRW-ALGO", "알고랜드", "Algorand", "312"},
    {"KRW-VET", "비체인", "VeChain", "32.4"},
    {"KRW-FIL", "파일코인", "Filecoin", "3115"},
    {"KRW-SAND", "샌드박스", "The Sandbox", "389"},
    {"KRW-MANA", "디센트럴랜드", "Decentraland", "401"},
    {"KRW-AXS", "엑시인피니티", "Axie Infinity", "3187"},
    {"KRW-CHZ", "칠리즈", "Chiliz", "55.7"},
    {"KRW-XTZ", "테조스", "Tezos", "985"},
    {"KRW-NEO", "네오", "NEO", "8790"},
    {"KRW-BAT", "베이직어텐션토큰", "Basic Attention Token", "214"},
    {"KRW-ZIL", "질리카", "Zilliqa", "14.8"},
    {"KRW-IOTA", "아이오타", "IOTA", "263"},
    {"KRW-STX", "스택스", "Stacks", "842"},
    {"KRW-ANKR", "앵커", "Ankr", "19.3"},
    {"KRW-VTHO", "비토르토큰", "VeThor Token", "1.87"},
};
const size_t coin_count = sizeof coins / sizeof *coins;

const struct coin *coin_find(const char *code)
{
    for (size_t i = 0; i < coin_count; i++)
        if (!strcmp(coins[i].code, code))
            return &coins[i];
    return NULL;
}
