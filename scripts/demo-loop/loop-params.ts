/**
 * What the loop's params.yaml has beyond the example's: where data come from, a model that learns a level of prices and so feels it change,
 * and when rows of now count as others.
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
    // The cards of a day are those of the day before: limits for rows that know nothing of each other would be too narrow. A silent day leaves
    // gaps in a week's lags, weekdays come and go, and the first days of a version are no week.
    drift: {
      ...{
        false_alarms: '1 per 30 days',
        window: '7d',
        min_rows: 600,
        psi: 0.25,
        new_values: 0.05,
        missing: 0.25,
      },
      ...{ joint: false, exclude: ['weekday'], on_alarm: 'train', train_every: '7d' },
    },
  };
}
