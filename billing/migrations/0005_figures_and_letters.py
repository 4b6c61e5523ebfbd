import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0004_offers_and_moves'),
    ]

    operations = [
        migrations.CreateModel(
            name='MetricDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('taken_at', models.DateTimeField()),
                ('is_filled', models.BooleanField(help_text='Taken later, from what was known by then.')),
            ],
        ),
        migrations.CreateModel(
            name='MetricSnapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('currency', models.CharField(max_length=3)),
                ('mrr', models.BigIntegerField()),
                ('seats', models.PositiveIntegerField()),
                ('began_on', models.DateField(help_text='When the company first began to rent.')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.company')),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('day'), models.F('company'), name='snapshot_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='What it tells of.', max_length=120)),
                ('to', models.EmailField(max_length=254)),
                ('delivery_id', models.UUIDField(help_text="The mail's.", unique=True)),
                ('at', models.DateTimeField()),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.company')),
                ('invoice', models.ForeignKey(help_text='Goes with it.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='billing.invoice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('key'), models.F('to'), name='letter_once')],
            },
        ),
    ]
