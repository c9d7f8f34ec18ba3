import { Pressure } from '../../../serving/api/pressure';

it('sends requests away only while the event loop is late again and again', () => {
  const pressure = new Pressure({ lagLimitMs: 100 });
  pressure.close();
  let now = performance.now();
  const look = (late: number): boolean => {
    now += 50 + late;
    pressure.look(now);
    return pressure.tooHigh;
  };
  look(0);
  expect([look(5000), look(0), look(200), look(300), look(400), look(10), look(400)]).toEqual([
    false,
    false,
    false,
    false,
    true,
    false,
    false,
  ]);
});
