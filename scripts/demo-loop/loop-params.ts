/**
 * What the loop's params.yaml has beyond the example's: where data come from, and a model that learns a level of prices and so feels it change.
 *
 * @param service address of the price service
 * @param sql the example's preprocess.sql
 */
export function loopParams(service: string, sql: string): Record<string, unknown> {
  return {
    'data.files': 'card-prices-*.parquet',
    // The last 60 days are trained on, none of them before a card has a month of history.
    'preprocess.sql': sql.replace(
      'ORDER BY day, card_id',
      'QUALIFY day > max(day) OVER () - INTERVAL 60 DAY AND day >= min(day) OVER () + INTERVAL 27 DAY\nORDER BY day, card_id',
    ),
    train: { algorithm: 'gradient-boosting', n_estimators: 150, seed: 42 },
    // Better by chance is not better: versions would come and go.
    'promote.confidence': 0.95,
    collect: {
      sources: {
        'card-prices': {
          url: `${service}/v1/prices/{day}`,
          auth: { env: 'CARD_PRICES_API_KEY', header: 'X-Api-Key' },
          rows: '/rows',
          paging: { by: 'cursor', at: '/next_cursor', query: 'cursor' },
          columns: {
            ...{
              date: 'date',
              card_id: 'text',
              rarity: 'text',
              on_promotion: 'boolean',
              listings: 'integer',
            },
            price: { type: 'number', min: 0 },
          },
          unique: ['card_id', 'date'],
          day_column: 'date',
          requests_per_minute: 60_000,
        },
      },
      catch_up: 366,
    },
    // When a difference is an alarm is not said: the defaults hold for the same cards day after day, too.
    drift: { window: '7d', on_alarm: 'train', train_every: '7d' },
  };
}
